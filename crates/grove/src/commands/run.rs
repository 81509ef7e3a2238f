//! `grove run`.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
    path::{Path, PathBuf},
    time::Duration,
};

use clap_complete::ArgValueCandidates;
use futures_util::future::join_all;
use grove_cluster::Connection;
use grove_fleet::{Address, model::Instance, near::nearest};
use grove_release::{Changes, DeployBranch, Draft, Message, Objects, Run, refuse};
use grove_render::{Once, once};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    cli::Global,
    commands::{
        candidates,
        rollback::find_cluster,
        selection::{Agreement, Selection},
    },
    connecting::{Reach, block_on},
    error::{CommandError, Exit, Result},
    one_off::{self, OneOff},
    output::Output,
    releasing::{self, Remotes},
    surroundings,
    workspace::{Workspace, is_json},
};

/// The most that the files of a run may have together: a Secret takes a megabyte.
const FILES_LIMIT: usize = 1_000_000;

/// Run a command once, with what a service of the running release has.
///
/// A Job in the cluster gets the image, the configuration and the secrets of the service, as the running
/// release has them. What it writes is shown here; no shell reads the command. For one instance the exit
/// code is the command's own; for several it is 1 where one failed. Who ran what, and how it ended, stands
/// in the deploy repository; words that look like a secret do not.
///
/// An interruption ends the watching, not the Job.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove run prod/uni lms -- ./manage.py lms migrate --plan\n\
    \x20 grove run -f users.csv prod/uni lms -- python /grove/files/users.csv\n\
    \x20 grove run 'prod/*' cms -- ./manage.py cms simulate_publish --dry-run")]
pub(crate) struct Arguments {
    /// Which instances: `cluster/instance` (with `*`), `cluster`, or `@ring`.
    #[arg(add = ArgValueCandidates::new(candidates::selectors))]
    selector: String,
    /// The workload whose image, configuration and secrets it gets: `lms`, `cms` and the like.
    service: String,
    /// The command: program and arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// A file that the command finds below `/grove/files`; may be given several times.
    #[arg(short, long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How long to watch, in seconds; the Job goes on.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    timeout: u64,
    /// How long a finished Job stays in the cluster, in hours.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    keep: u32,
    #[command(flatten)]
    agreement: Agreement,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    remotes: Remotes,
}

/// One instance's run.
struct Task<'a> {
    instance: &'a Instance,
    release: u32,
    name: String,
    /// What is made: the Job first.
    objects: Vec<Value>,
}

/// How it ended.
#[derive(Debug, Serialize)]
struct Ended {
    instance: Address,
    job: String,
    release: u32,
    /// The command's own; none where it did not come to its end.
    exit_code: Option<i32>,
    /// Why it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    // As for a rollback, the fleet may have errors elsewhere.
    let fleet = workspace.check()?.fleet;
    let selection = Selection {
        selectors: vec![arguments.selector.clone()],
        ..Selection::default()
    };
    let instances = selection.select(&fleet)?;
    arguments.agreement.ask(&instances, output)?;
    let files = files(&arguments.files)?;

    let mut branches: BTreeMap<&str, DeployBranch> = BTreeMap::new();
    let mut tasks = Vec::new();
    for instance in instances {
        let cluster = instance.address.cluster.as_str();
        if !branches.contains_key(cluster) {
            output.progress(&format!("fetching the deploy branch of {cluster}"));
            let branch = arguments.remotes.open(&workspace, &fleet, cluster)?;
            branches.insert(cluster, branch);
        }
        if let Some(branch) = branches.get(cluster) {
            tasks.push(task(arguments, branch, instance, &files)?);
        }
    }
    output.progress_done();

    let several = tasks.len() > 1;
    let ended = block_on(async {
        let runs = tasks.iter().map(|task| async {
            let cluster = find_cluster(&fleet, &task.instance.address.cluster)?;
            let connection = arguments.reach.connect(cluster).await?;
            follow(arguments, &connection, task, several, output).await
        });
        Ok(join_all(runs).await)
    })?;
    let mut failures = Vec::new();
    let mut results = Vec::new();
    for (task, result) in tasks.iter().zip(ended) {
        match result {
            Ok(ended) => results.push(ended),
            Err(error) => failures.push(error.context(format!("{}", task.instance.address))),
        }
    }
    for (cluster, mut branch) in branches {
        let of_cluster = results
            .iter()
            .filter(|ended| ended.instance.cluster == cluster);
        let recorded = record(arguments, &workspace, &mut branch, of_cluster);
        if let Err(error) = recorded {
            output.warn("what was run is not recorded in the deploy repository:");
            output.error(&error);
        }
    }
    finish(&results, failures, output)
}

/// Runs one task to its end.
async fn follow(
    arguments: &Arguments,
    connection: &Connection,
    task: &Task<'_>,
    several: bool,
    output: &Output,
) -> Result<Ended> {
    let address = &task.instance.address;
    let job = OneOff {
        namespace: &task.instance.identity.namespace,
        name: &task.name,
        objects: &task.objects,
        prefix: several.then(|| address.to_string()),
        shown: str::to_owned,
        later: format!("`grove logs {address} {} --follow`", task.name),
        patience: Duration::from_secs(arguments.timeout),
    };
    let begun = format!(
        "{address}: {} runs with what release {:04} has",
        task.name, task.release
    );
    let ended = one_off::run(connection, &job, &begun, output).await?;
    Ok(Ended {
        instance: address.clone(),
        job: task.name.clone(),
        release: task.release,
        exit_code: Some(ended.exit_code),
        reason: ended
            .reason
            .filter(|reason| reason == "OOMKilled")
            .map(|_| "it used more memory than its limit".to_owned()),
    })
}

/// What the command comes to.
fn finish(results: &[Ended], mut failures: Vec<CommandError>, output: &Output) -> Result {
    if is_json(output) {
        output.json(&json!({"version": 1, "runs": results}))?;
    } else {
        for ended in results.iter().filter(|ended| ended.exit_code != Some(0)) {
            let how = match (&ended.reason, ended.exit_code) {
                (Some(reason), _) => reason.clone(),
                (None, Some(code)) => format!("exit code {code}"),
                (None, None) => "it did not come to its end".to_owned(),
            };
            output.note(&format!("{}: {} failed: {how}", ended.instance, ended.job));
        }
    }
    if let Some(last) = failures.pop() {
        for failure in &failures {
            output.error(failure);
        }
        return Err(last);
    }
    Ok(match results {
        [only] => match only.exit_code {
            Some(code) => Exit::Command(u8::try_from(code).unwrap_or(1)),
            None => Exit::Unhealthy,
        },
        several if several.iter().all(|ended| ended.exit_code == Some(0)) => Exit::Done,
        _ => Exit::No,
    })
}

/// The Job of one instance, from its running release.
fn task<'a>(
    arguments: &Arguments,
    branch: &DeployBranch,
    instance: &'a Instance,
    files: &BTreeMap<String, String>,
) -> Result<Task<'a>> {
    let address = &instance.address;
    let never =
        || CommandError::refused(format!("{address} does not run yet")).hint("deploy it first");
    let view = branch.view()?;
    let running = view.latest(&address.instance)?.ok_or_else(never)?;
    let objects = view.objects(&address.instance)?.ok_or_else(never)?;
    let workload = workload(&objects, &arguments.service).ok_or_else(|| {
        let all = names(&objects);
        let error = CommandError::usage(format!(
            "release {:04} of {address} has no service `{}`",
            running.release, arguments.service
        ));
        match nearest(&arguments.service, all.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("there are: {}", all.join(", "))),
        }
    })?;
    let short: String = arguments.service.chars().take(30).collect();
    let number = RandomState::new().hash_one(address.to_string());
    let name = format!("run-{short}-{:08x}", number & 0xffff_ffff);
    let task = Once {
        name: &name,
        command: &arguments.command,
        files: (!files.is_empty()).then_some(name.as_str()),
        kept: arguments.keep.saturating_mul(3600),
    };
    let job = once(workload, &task).ok_or_else(|| {
        CommandError::new(
            Exit::Bug,
            format!("`{}` has no pod template", arguments.service),
        )
    })?;
    let mut made = vec![job];
    if !files.is_empty() {
        made.push(json!({
            "apiVersion": "v1", "kind": "Secret", "immutable": true, "stringData": files,
            "metadata": {"name": name, "namespace": instance.identity.namespace},
        }));
    }
    Ok(Task {
        instance,
        release: running.release,
        name,
        objects: made,
    })
}

fn is_workload(object: &Value) -> bool {
    let kind = object.get("kind").and_then(Value::as_str);
    matches!(kind, Some("Deployment" | "StatefulSet"))
}

fn name(object: &Value) -> Option<&str> {
    object.pointer("/metadata/name")?.as_str()
}

fn workload<'a>(objects: &'a Objects, service: &str) -> Option<&'a Value> {
    let mut all = objects.values().filter(|object| is_workload(object));
    all.find(|object| name(object) == Some(service))
}

fn names(objects: &Objects) -> Vec<&str> {
    let all = objects.values().filter(|object| is_workload(object));
    all.filter_map(name).collect()
}

/// The files that the command gets, by name.
fn files(paths: &[PathBuf]) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for path in paths {
        let name = Path::file_name(path).unwrap_or_default().to_string_lossy();
        let is_name = name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if name.is_empty() || !is_name {
            return Err(
                CommandError::usage(format!("`{}` has no plain name", path.display()))
                    .hint("letters, digits, `-`, `_` and `.`: copy it under another name"),
            );
        }
        let text = fs_err::read_to_string(path)
            .map_err(|error| CommandError::from_error(Exit::Usage, &error))?;
        if files.insert(name.clone().into_owned(), text).is_some() {
            return Err(CommandError::usage(format!(
                "two files are called `{name}`"
            )));
        }
    }
    let bytes: usize = files.values().map(String::len).sum();
    if bytes > FILES_LIMIT {
        return Err(CommandError::usage(format!(
            "the files have {bytes} bytes, more than {FILES_LIMIT}"
        ))
        .hint("let the command fetch them, from the instance's own bucket for instance"));
    }
    Ok(files)
}

/// Writes who ran what to the deploy branch.
fn record<'a>(
    arguments: &Arguments,
    workspace: &Workspace,
    branch: &mut DeployBranch,
    ended: impl Iterator<Item = &'a Ended>,
) -> Result<()> {
    let (author, time) = (releasing::author(workspace)?, surroundings::now()?);
    let mut changes = Changes::default();
    let mut names = Vec::new();
    for ended in ended {
        names.push(ended.instance.instance.clone());
        changes.run(&Run {
            version: grove_release::RECORD_VERSION,
            instance: ended.instance.instance.clone(),
            job: ended.job.clone(),
            release: ended.release,
            time,
            author: format!("{} <{}>", author.name, author.email),
            service: arguments.service.clone(),
            command: hidden(&arguments.command),
            exit_code: ended.exit_code,
        });
    }
    if changes.is_empty() {
        return Ok(());
    }
    let message = Message {
        subject: format!(
            "Ran a command in {} of {}",
            arguments.service,
            names.join(", ")
        ),
        grove: env!("CARGO_PKG_VERSION").to_owned(),
        ..Message::default()
    };
    let draft = Draft {
        changes,
        message,
        author,
        time,
    };
    branch.commit(draft, refuse)?;
    Ok(())
}

/// A command without what looks like a secret: what an option of such a name has, and what is assigned to
/// such a name.
fn hidden(command: &[String]) -> Vec<String> {
    const HIDDEN: &str = "…";
    let speaks = |word: &str| {
        let word = word.to_ascii_lowercase();
        ["password", "passwd", "secret", "token", "key", "credential"]
            .iter()
            .any(|known| word.contains(known))
    };
    let mut hide_next = false;
    command
        .iter()
        .map(|word| {
            if std::mem::take(&mut hide_next) {
                return HIDDEN.to_owned();
            }
            match word.split_once('=') {
                Some((name, _)) if speaks(name) => format!("{name}={HIDDEN}"),
                None if word.starts_with('-') && speaks(word) => {
                    hide_next = true;
                    word.clone()
                }
                // Text of many lines is a program or data; who ran it knows which.
                _ if word.contains('\n') => HIDDEN.to_owned(),
                _ => word.clone(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::hidden;

    #[test]
    fn what_looks_like_a_secret_is_not_recorded() {
        let words = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
        let command =
            words("./manage.py|lms|create|--password|x y|--token=z|API_KEY=q|-c|a\nb|plain");
        assert_eq!(
            hidden(&command).join("|"),
            "./manage.py|lms|create|--password|…|--token=…|API_KEY=…|-c|…|plain"
        );
    }
}
