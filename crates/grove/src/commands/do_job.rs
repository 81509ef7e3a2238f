//! `grove do`.

use clap_complete::ArgValueCandidates;
use grove_operations::{
    Around,
    fleet::selection::Selection,
    jobs::{do_job, known, tutor::Words},
};

use crate::{
    around, candidates,
    error::{Exit, Result},
    global::Global,
    options::{Instances, Running},
    output::Output,
    runs, surroundings, terminal,
};

/// Run a job of Tutor or of a plugin: create a user, import the demo course.
///
/// The job is that of the running release, with the images, the configuration and the secrets that it has.
/// Without a job, those that there are are listed; `grove do SELECTOR JOB --help` shows what one takes.
/// Options of Grove's own stand before the selector.
///
/// Jobs put words into shell scripts as they are, so only plain ones are let through: letters, digits and
/// `@%+=:,./_-`. `grove run` passes any. A password is asked for, or read from standard input, and stands
/// in the Job's Secret alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove do prod/uni\n\
    \x20 grove do prod/uni createuser --staff --superuser ada ada@uni.example\n\
    \x20 grove do 'prod/*' importdemocourse")]
pub(crate) struct Arguments {
    #[command(flatten)]
    running: Running,
    /// Which instances: `cluster/instance` (with `*`), `cluster`, or `@ring`.
    #[arg(add = ArgValueCandidates::new(candidates::selectors))]
    selector: String,
    /// The job and its arguments.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "JOB"
    )]
    job: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let job = Words::new(arguments.job.clone())?;
    let running = &arguments.running;
    let around = around::of(global, output, &[&running.reach, &running.branches])?;
    // `-h` may be an option of the job's own.
    let is_question = arguments.job.iter().any(|word| word == "--help");
    if arguments.job.is_empty() || is_question {
        return describe(arguments, &around, global, output);
    }
    let instances = Instances::of(&arguments.selector, running.agreement);
    let request = do_job::Request {
        id: surroundings::request_id(),
        target: terminal::target(&around, &instances, global, output)?,
        job,
        running: running.request(),
    };
    let plan = do_job::plan(&around, &request)?;
    let consent = terminal::consent(plan.needs(), output)?;
    let answers = terminal::answers(&plan.questions())?;
    runs::show(plan.carry_out(&consent, &answers)?, output)
}

/// The jobs of the first instance, or what one takes.
fn describe(arguments: &Arguments, around: &Around, global: &Global, output: &Output) -> Result {
    let job = arguments.job.iter().find(|word| !word.starts_with('-'));
    let request = known::Request {
        revision: global.rev.clone(),
        selection: Selection::of(&arguments.selector),
        job: job.cloned(),
    };
    let Some(known) = known::read(around, &request)? else {
        return Ok(Exit::Done);
    };
    output.outcome(&known, || match (known.jobs.as_slice(), &request.job) {
        ([only], Some(_)) => format!("{}\n", only.usage),
        (jobs, _) => {
            let width = jobs.iter().map(|job| job.name.len()).max().unwrap_or(0);
            let line = |job: &known::Job| format!("{:width$}  {}\n", job.name, job.help);
            jobs.iter().map(line).collect()
        }
    })?;
    Ok(Exit::Done)
}
