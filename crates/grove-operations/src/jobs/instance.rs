//! Jobs beside a release: what instances are made to do once, with what their running release has.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use futures_util::future::join_all;
use grove_fleet::{Address, Fleet, model::Instance, near::nearest};
use grove_release::{Changes, DeployBranch, Draft, Message, Objects, Record, Run, View, refuse};
use grove_render::{Once, once};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::one_off::{self, OneOff};
use crate::{
    Around, Doing, Error, Kind, Result,
    fleet::{find::find_cluster, workspace::Workspace},
    release::remotes,
};

/// How Jobs are run and watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Running {
    /// How long to watch, in seconds; the Job goes on.
    pub timeout: u64,
    /// How long a finished Job stays in the cluster, in hours.
    pub keep: u32,
}

impl Default for Running {
    fn default() -> Self {
        Self {
            timeout: 3600,
            keep: 24,
        }
    }
}

/// One command of an instance.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// The workload whose image, configuration and secrets it gets.
    pub service: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Whether placeholders in the command stand for secrets.
    pub has_placeholders: bool,
    /// What the command finds below `/grove/files`, by name.
    pub files: BTreeMap<String, String>,
    /// What stands in the deploy repository as the command.
    pub recorded: Vec<String>,
}

/// What makes the steps of an instance, from what its deploy branch has of it.
pub type Steps<'a> = dyn Fn(&View<'_>, &Record, &Instance) -> Result<Vec<Step>> + 'a;

/// One instance, and what it is made to do.
struct Task<'a> {
    instance: &'a Instance,
    release: u32,
    jobs: Vec<Job>,
}

struct Job {
    name: String,
    step: Step,
    /// What is made: the Job first.
    objects: Vec<Value>,
}

/// How it ended.
#[derive(Debug, Serialize)]
pub struct Ended {
    pub instance: Address,
    pub job: String,
    pub release: u32,
    #[serde(skip)]
    pub step: Step,
    /// The command's own; none where it did not come to its end.
    pub exit_code: Option<i32>,
    /// Why it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What was run.
#[derive(Debug)]
pub struct Ran {
    /// How each command ended.
    pub ended: Vec<Ended>,
    /// Why instances could not be made to run theirs.
    pub failures: Vec<Error>,
}

/// Runs the steps of each instance, one after the other until one fails, in all instances at once; then
/// records them. Names of Jobs begin with `prefix`.
pub fn run(
    running: &Running,
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    instances: &[&Instance],
    prefix: &str,
    steps: &Steps<'_>,
) -> Result<Ran> {
    let around = workspace.around;
    let mut branches: BTreeMap<&str, DeployBranch> = BTreeMap::new();
    let mut tasks = Vec::new();
    for instance in instances.iter().copied() {
        let cluster = instance.address.cluster.as_str();
        if !branches.contains_key(cluster) {
            around.doing(Doing::Fetching { cluster });
            let branch = remotes::open(workspace, fleet, cluster)?;
            branches.insert(cluster, branch);
        }
        if let Some(branch) = branches.get(cluster) {
            tasks.push(task(running, branch, instance, prefix, steps)?);
        }
    }
    around.progress_done();

    let several = tasks.len() > 1;
    let ended = around.block_on(async {
        let runs = tasks.iter().map(|task| async {
            let mut ended = Vec::new();
            let followed = follow(running, fleet, task, several, &mut ended, around).await;
            (ended, followed.err())
        });
        Ok(join_all(runs).await)
    })?;
    let mut failures = Vec::new();
    let mut results = Vec::new();
    for (task, (ended, failure)) in tasks.iter().zip(ended) {
        results.extend(ended);
        failures.extend(failure.map(|error| error.context(format!("{}", task.instance.address))));
    }
    for (cluster, mut branch) in branches {
        let of_cluster: Vec<&Ended> = results
            .iter()
            .filter(|ended| ended.instance.cluster == cluster)
            .collect();
        record(workspace, &mut branch, &of_cluster);
    }
    Ok(Ran {
        ended: results,
        failures,
    })
}

/// Runs the steps of one instance until one fails; `all` gets what ended.
async fn follow(
    running: &Running,
    fleet: &Fleet,
    task: &Task<'_>,
    several: bool,
    all: &mut Vec<Ended>,
    around: &Around,
) -> Result<()> {
    let address = &task.instance.address;
    let cluster = find_cluster(fleet, &address.cluster)?;
    let connection = around.connect(cluster).await?;
    for job in &task.jobs {
        let one = OneOff {
            namespace: &task.instance.identity.namespace,
            name: &job.name,
            objects: &job.objects,
            prefix: several.then(|| address.to_string()),
            shown: str::to_owned,
            later: format!("`grove logs {address} {} --follow`", job.name),
            patience: Duration::from_secs(running.timeout),
        };
        let begun = format!(
            "{address}: {} runs with what release {:04} has",
            job.name, task.release
        );
        let ended = one_off::run(&connection, &one, &begun, around).await?;
        all.push(Ended {
            instance: address.clone(),
            job: job.name.clone(),
            release: task.release,
            step: job.step.clone(),
            exit_code: Some(ended.exit_code),
            reason: ended
                .reason
                .filter(|reason| reason == "OOMKilled")
                .map(|_| "it used more memory than its limit".to_owned()),
        });
        if ended.exit_code != 0 {
            break;
        }
    }
    Ok(())
}

/// The Jobs of one instance, from its running release.
fn task<'a>(
    running: &Running,
    branch: &DeployBranch,
    instance: &'a Instance,
    prefix: &str,
    steps: &Steps<'_>,
) -> Result<Task<'a>> {
    let address = &instance.address;
    let view = branch.view()?;
    let (record, objects) = running_release(&view, address)?;
    let mut jobs = Vec::new();
    for step in steps(&view, &record, instance)? {
        let workload = workload(&objects, &step.service, address, record.release)?;
        let short: String = step.service.chars().take(30).collect();
        let name = unique_name(&format!("{prefix}-{short}"));
        let task = Once {
            name: &name,
            command: &step.command,
            files: (!step.files.is_empty()).then_some(name.as_str()),
            kept: running.keep.saturating_mul(3600),
        };
        let mut job = once(workload, &task).ok_or_else(|| {
            Error::new(Kind::Bug, format!("`{}` has no pod template", step.service))
        })?;
        if step.has_placeholders {
            grove_seal::seal::one_off(&mut job, &objects)?;
        }
        let mut made = vec![job];
        if !step.files.is_empty() {
            made.push(json!({
                "apiVersion": "v1", "kind": "Secret", "immutable": true, "stringData": step.files,
                "metadata": {"name": name, "namespace": instance.identity.namespace},
            }));
        }
        jobs.push(Job {
            name,
            step,
            objects: made,
        });
    }
    Ok(Task {
        instance,
        release: record.release,
        jobs,
    })
}

/// A name that no other Job has, in all likelihood.
pub fn unique_name(start: &str) -> String {
    let number = RandomState::new().hash_one(start) & 0xffff_ffff;
    format!("{start}-{number:08x}")
}

/// The record and the objects of the running release.
pub fn running_release(view: &View<'_>, address: &Address) -> Result<(Record, Objects)> {
    let never =
        || Error::refused(format!("{address} does not run yet")).hint("deploy it first");
    let record = view.latest(&address.instance)?.ok_or_else(never)?;
    let objects = view.objects(&address.instance)?.ok_or_else(never)?;
    Ok((record, objects))
}

/// The workload of a release by its name.
pub fn workload<'a>(
    objects: &'a Objects,
    service: &str,
    address: &Address,
    release: u32,
) -> Result<&'a Value> {
    let name = |object: &'a Value| object.pointer("/metadata/name")?.as_str();
    let workloads = || objects.values().filter(|object| is_workload(object));
    let found = workloads().find(|object| name(object) == Some(service));
    found.ok_or_else(|| {
        let all: Vec<&str> = workloads().filter_map(name).collect();
        let error = Error::usage(format!(
            "release {release:04} of {address} has no service `{service}`"
        ));
        match nearest(service, all.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("there are: {}", all.join(", "))),
        }
    })
}

fn is_workload(object: &Value) -> bool {
    let kind = object.get("kind").and_then(Value::as_str);
    matches!(kind, Some("Deployment" | "StatefulSet"))
}

/// Writes who ran what to the deploy branch; where that fails, it is said, and what was run stands.
pub fn record(
    workspace: &Workspace<'_>,
    branch: &mut DeployBranch,
    ended: &[&Ended],
) {
    let around = workspace.around;
    if let Err(error) = write_record(workspace, branch, ended) {
        around.warn("what was run is not recorded in the deploy repository:");
        around.failed(&error);
    }
}

fn write_record(workspace: &Workspace<'_>, branch: &mut DeployBranch, ended: &[&Ended]) -> Result<()> {
    let (author, time) = (workspace.around.author()?, workspace.around.now());
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
            service: ended.step.service.clone(),
            command: hidden(&ended.step.recorded),
            exit_code: ended.exit_code,
            request: None,
        });
    }
    if changes.is_empty() {
        return Ok(());
    }
    let message = Message {
        subject: format!("Ran a command in {}", names.join(", ")),
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
