//! `grove run`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap_complete::ArgValueCandidates;

use crate::{
    cli::Global,
    commands::{candidates, selection::Selection},
    error::{CommandError, Exit, Result},
    instance_job::{self, Running, Step},
    output::Output,
    workspace::Workspace,
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
    #[command(flatten)]
    running: Running,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    // As for a rollback, the fleet may have errors elsewhere.
    let fleet = workspace.check()?.fleet;
    let instances = Selection::of(&arguments.selector).select(&fleet)?;
    arguments.running.agreement.ask(&instances, output)?;
    let step = Step {
        service: arguments.service.clone(),
        command: arguments.command.clone(),
        has_placeholders: false,
        files: files(&arguments.files)?,
        recorded: arguments.command.clone(),
    };
    instance_job::run(
        &arguments.running,
        &workspace,
        &fleet,
        &instances,
        "run",
        &|_, _, _| Ok(vec![step.clone()]),
        output,
    )
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
