//! `grove init retry` and `grove init skip`: init tasks of an instance that runs.

use std::borrow::Cow;

use clap_complete::ArgValueCandidates;
use grove_fleet::{Address, Fleet, model::Instance, near::nearest};
use grove_release::{
    Changes, Draft, Id, InitTasks, Message, Objects, Record, Release, compose, diff, refuse,
};
use grove_render::{Tree, annotations};
use serde_json::Value;

use crate::{
    cli::Global,
    commands::{
        candidates,
        rollback::find_cluster,
        selection::{Agreement, Selection},
    },
    error::{CommandError, Result},
    following::{self, Wait},
    freezing,
    output::Output,
    releasing::{self, Remotes, Sealer},
    report,
    secrets::Secrets,
    surroundings,
    workspace::{Workspace, is_json},
};

/// How often a task was asked to run again: part of its Job's name.
const RETRY: &str = "grove-platform.org/retry";
/// Marks a Job of a release that a rollback left.
const LEFT_RELEASE: &str = "grove-platform.org/left-release";

/// What can be asked about an init task.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Run an init task again, over the release that runs.
    ///
    /// The task's Job gets another name, so Argo CD runs it; what waits for it goes on from there.
    /// Nothing else of the fleet is shipped, and a held instance stays held.
    #[command(after_help = "Example:\n\
        \x20 grove init retry prod/uni lms-migrate --wait")]
    Retry(Arguments),
    /// Go on without an init task, over the release that runs.
    ///
    /// The task's Job is dropped until its text or image is another. Only for a task whose work was
    /// done otherwise, or is not needed.
    #[command(after_help = "Example:\n\
        \x20 grove init skip prod/uni lms-indigo-setup -m \"set by hand\" --wait")]
    Skip(Arguments),
}

/// Which task, and what follows.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which instances: `cluster/instance` (with `*`), `cluster`, or `@ring`.
    #[arg(add = ArgValueCandidates::new(candidates::selectors))]
    selector: String,
    /// The task, such as `lms-migrate`: its Job's name without the hash.
    task: String,
    /// Why; stands in the record and the commit.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    #[command(flatten)]
    agreement: Agreement,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(command: &Command, global: &Global, output: &Output) -> Result {
    let (arguments, verb) = match command {
        Command::Retry(arguments) => (arguments, Verb::Retry),
        Command::Skip(arguments) => (arguments, Verb::Skip),
    };
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let instances = Selection::of(&arguments.selector).select(&fleet)?;
    arguments.agreement.ask(&instances, output)?;
    let secrets = Secrets::new(&workspace, &fleet);
    let mut rows = Vec::new();
    let mut followed = Vec::new();
    let mut failure = None;
    for instance in instances {
        let changed = change(
            arguments, verb, &workspace, &fleet, &secrets, instance, output,
        );
        match changed {
            Ok(changed) => {
                followed.extend(changed.followed);
                rows.push(changed.row);
            }
            // What was pushed for others stays, and must be known.
            Err(error) => {
                failure = Some(error.context(instance.address.to_string()));
                break;
            }
        }
    }
    output.progress_done();
    let waits = following::follow(&arguments.wait, &fleet.clusters, &followed, output)?;
    if is_json(output) {
        output.json(&serde_json::json!({
            "version": 1, "task": arguments.task, "instances": rows, "waits": waits.0,
        }))?;
    } else {
        for row in &rows {
            output.print(&format!(
                "{}: {} {}, as release {:04}\n",
                row.instance,
                arguments.task,
                verb.done(),
                row.release
            ))?;
            output.note(&row.summary);
        }
        following::print(&waits.0, output)?;
    }
    failure.map_or(Ok(waits.1), Err)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Retry,
    Skip,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Retry => "runs again",
            Self::Skip => "is skipped",
        }
    }
}

/// What became of one instance.
struct Changed {
    row: Row,
    /// What is to be followed, where that was asked for.
    followed: Option<following::Release>,
}

#[derive(serde::Serialize)]
struct Row {
    instance: Address,
    release: u32,
    #[serde(skip)]
    summary: String,
}

/// Releases one instance with the task asked for again, or without it.
fn change(
    arguments: &Arguments,
    verb: Verb,
    workspace: &Workspace,
    fleet: &Fleet,
    secrets: &Secrets<'_>,
    instance: &Instance,
    output: &Output,
) -> Result<Changed> {
    let address = &instance.address;
    let cluster = find_cluster(fleet, &address.cluster)?;
    output.progress(&format!(
        "fetching the deploy branch of {}",
        address.cluster
    ));
    let mut branch = arguments.remotes.open(workspace, fleet, &address.cluster)?;
    output.progress_done();
    let view = branch.view()?;
    let name = &address.instance;
    freezing::refuse_frozen(&view, address)?;
    let never = || CommandError::usage(format!("{address} was never released"));
    let running = view.latest(name)?.ok_or_else(never)?;
    let before = view.objects(name)?.ok_or_else(never)?;

    let mut init = running.init.clone();
    let mut objects = before.clone();
    let file = job_of(&objects, &arguments.task)?;
    match verb {
        Verb::Retry => {
            let count = init.retried.entry(arguments.task.clone()).or_default();
            *count += 1;
            if let Some(job) = objects.get_mut(&file) {
                annotate(job, *count);
            }
        }
        Verb::Skip => {
            if let Some(job) = objects.remove(&file) {
                let job = job.pointer("/metadata/name").and_then(Value::as_str);
                init.skipped
                    .insert(arguments.task.clone(), job.unwrap_or_default().to_owned());
            }
        }
    }
    let previous = releasing::ciphertexts(&view, name)?;
    let sealed = Sealer { cluster, secrets }.seal_again(
        instance,
        &running.secrets,
        &objects,
        previous.as_ref(),
    )?;
    let objects = compose(sealed.objects, Some(&before));
    let changes = diff(&before, &objects);

    let (time, author) = (surroundings::now()?, releasing::author(workspace)?);
    let reason = arguments
        .message
        .clone()
        .unwrap_or_else(|| format!("{} {}", verb.name(), arguments.task));
    let record = Record {
        release: running.release + 1,
        time,
        author: format!("{} <{}>", author.name, author.email),
        message: Some(reason.clone()),
        tree: Id::empty_tree(),
        scan: sealed.scan,
        init,
        request: None,
        grove: env!("CARGO_PKG_VERSION").to_owned(),
        ..running.clone()
    };
    let number = record.release;
    let mut draft = Changes::default();
    draft.release(Release {
        record,
        objects,
        apps: view.apps(name)?,
        sealed: Some(releasing::ciphertexts_value(&sealed.ciphertexts)?),
    })?;
    if let Some(hold) = view.hold(name)? {
        draft.hold(
            name,
            &grove_release::Hold {
                release: number,
                ..hold
            },
        );
    }
    let message = Message {
        subject: format!(
            "{name} {number:04}: {}",
            reason.lines().next().unwrap_or_default()
        ),
        text: None,
        source: running.source.commit,
        local: running.source.local,
        releases: vec![(name.clone(), number)],
        request: None,
        grove: env!("CARGO_PKG_VERSION").to_owned(),
    };
    output.progress(&format!("pushing to {}", branch.remote()));
    branch.commit(
        Draft {
            changes: draft,
            message,
            author,
            time,
        },
        refuse,
    )?;
    let followed = match branch.tip().filter(|_| arguments.wait.wait) {
        Some(tip) => Some(following::Release::new(&branch, instance, tip)?),
        None => None,
    };
    let row = Row {
        instance: address.clone(),
        release: number,
        summary: report::summary(&changes),
    };
    Ok(Changed { row, followed })
}

/// The file of the Job of a task.
fn job_of(objects: &Objects, task: &str) -> Result<String> {
    let jobs: Vec<(&String, &str)> = objects
        .iter()
        .filter(|(_, object)| object["kind"] == "Job" && annotation(object, LEFT_RELEASE).is_none())
        .filter_map(|(file, object)| Some((file, annotation(object, annotations::NAME)?)))
        .collect();
    if let Some((file, _)) = jobs.iter().find(|(_, name)| *name == task) {
        return Ok((*file).clone());
    }
    let names: Vec<&str> = jobs.iter().map(|(_, name)| *name).collect();
    let error = CommandError::usage(format!("the release that runs has no init task `{task}`"));
    Err(error.hint(match nearest(task, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has: {}", names.join(", ")),
    }))
}

/// A rendered tree whose Jobs know how often they were asked to run again.
pub(super) fn retried<'a>(tree: &'a Tree, init: &InitTasks) -> Cow<'a, Tree> {
    if init.retried.is_empty() {
        return Cow::Borrowed(tree);
    }
    let mut tree = tree.clone();
    for job in tree
        .objects
        .values_mut()
        .filter(|object| object["kind"] == "Job")
    {
        let count = annotation(job, annotations::NAME).and_then(|task| init.retried.get(task));
        if let Some(count) = count.copied() {
            annotate(job, count);
        }
    }
    Cow::Owned(tree)
}

/// Drops the Jobs that were skipped. A task whose Job is another by now runs, and is skipped no more.
pub(super) fn skip(objects: &mut Objects, init: &mut InitTasks) {
    init.skipped.retain(|_, skipped| {
        let file = objects
            .iter()
            .find(|(_, object)| {
                object["kind"] == "Job" && object["metadata"]["name"] == skipped.as_str()
            })
            .map(|(file, _)| file.clone());
        file.is_some_and(|file| objects.remove(&file).is_some())
    });
}

fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.pointer("/metadata/annotations")?.get(name)?.as_str()
}

fn annotate(job: &mut Value, count: u32) {
    if let Some(annotations) = job
        .pointer_mut("/metadata/annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.insert(RETRY.to_owned(), count.to_string().into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(task: &str, name: &str) -> Value {
        json!({"kind": "Job", "metadata": {"name": name, "annotations": {annotations::NAME: task}}})
    }

    #[test]
    fn a_skipped_job_stays_away_until_it_is_another() {
        let mut init = InitTasks::default();
        init.skipped
            .insert("lms-migrate".to_owned(), "lms-migrate-1".to_owned());
        let tree = |name: &str| Objects::from([("job.yaml".to_owned(), job("lms-migrate", name))]);
        let mut same = tree("lms-migrate-1");
        skip(&mut same, &mut init);
        assert!(same.is_empty() && init.skipped.len() == 1);
        let mut other = tree("lms-migrate-2");
        skip(&mut other, &mut init);
        assert!(other.len() == 1 && init.skipped.is_empty());
    }

    #[test]
    fn a_retry_goes_on_in_later_releases() {
        let mut tree = Tree::default();
        tree.objects
            .insert("a".to_owned(), job("lms-migrate", "lms-migrate"));
        tree.objects
            .insert("b".to_owned(), job("cms-migrate", "cms-migrate"));
        let mut init = InitTasks::default();
        assert!(matches!(retried(&tree, &init), Cow::Borrowed(_)));
        init.retried.insert("lms-migrate".to_owned(), 2);
        let tree = retried(&tree, &init);
        assert_eq!(annotation(&tree.objects["a"], RETRY), Some("2"));
        assert_eq!(annotation(&tree.objects["b"], RETRY), None);
    }

    #[test]
    fn an_unknown_task_gets_a_near_name() {
        let objects = Objects::from([("a".to_owned(), job("lms-migrate", "lms-migrate-1"))]);
        let error = job_of(&objects, "lms-migrat").unwrap_err();
        assert_eq!(error.hints, ["did you mean `lms-migrate`?"]);
    }
}
