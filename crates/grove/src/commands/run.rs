//! `grove run`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap_complete::ArgValueCandidates;
use grove_operations::jobs::run;

use crate::{
    around, candidates,
    error::{Error, Kind, Result},
    global::Global,
    options::{Instances, Running},
    output::Output,
    runs, surroundings, terminal,
};

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
    let running = &arguments.running;
    let around = around::of(global, output, &[&running.reach, &running.branches])?;
    let instances = Instances::of(&arguments.selector, running.agreement);
    let request = run::Request {
        id: surroundings::request_id(),
        target: terminal::target(&around, &instances, global, output)?,
        service: arguments.service.clone(),
        command: arguments.command.clone(),
        files: files(&arguments.files)?,
        running: running.request(),
    };
    let plan = run::plan(&around, &request)?;
    let consent = terminal::consent(plan.needs(), output)?;
    runs::show(plan.carry_out(&consent)?, output)
}

/// The files that the command gets, by name.
fn files(paths: &[PathBuf]) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for path in paths {
        let name = Path::file_name(path).unwrap_or_default().to_string_lossy();
        run::refuse_name(&name, &path.display().to_string())?;
        let text =
            fs_err::read_to_string(path).map_err(|error| Error::from_error(Kind::Usage, &error))?;
        if files.insert(name.clone().into_owned(), text).is_some() {
            return Err(Error::usage(format!("two files are called `{name}`")));
        }
    }
    Ok(files)
}
