//! `grove init retry` and `grove init skip`: init tasks of an instance that runs.

use clap_complete::ArgValueCandidates;
use grove_operations::{
    fleet::selection::Selection,
    release::{
        follow,
        init::{self, Change, Outcome},
    },
    request::Target,
};

use crate::{
    around, candidates,
    error::Result,
    global::Global,
    options::{Agreement, Branches, Places, Wait},
    output::{Output, is_json},
    surroundings, terminal, waits,
};

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
    branches: Branches,
}

pub(crate) fn run(command: &Command, global: &Global, output: &Output) -> Result {
    let (arguments, change) = match command {
        Command::Retry(arguments) => (arguments, Change::Retry),
        Command::Skip(arguments) => (arguments, Change::Skip),
    };
    let places: [&dyn Places; 2] = [&arguments.branches, &arguments.wait.reach];
    let around = around::of(global, output, &places)?;
    let target = Target {
        revision: global.rev.clone(),
        selection: Selection::of(&arguments.selector),
        expect: arguments.agreement.expect,
    };
    let request = init::Request {
        id: surroundings::request_id(),
        target: terminal::agreed(target, output, |target| target.look(&around))?,
        task: arguments.task.clone(),
        change,
        message: arguments.message.clone(),
        wait: arguments.wait.seconds(),
    };
    let plan = init::plan(&around, &request)?;
    let consent = terminal::consent(plan.needs(), output)?;
    let mut outcome = plan.carry_out(&consent)?;
    let failure = outcome.failure.take();
    show(&outcome, change, output)?;
    failure.map_or_else(|| Ok(follow::verdict(&outcome.waits).into()), Err)
}

fn show(outcome: &Outcome, change: Change, output: &Output) -> Result<()> {
    if is_json(output) {
        return output.outcome(outcome, String::new);
    }
    let done = match change {
        Change::Retry => "runs again",
        Change::Skip => "is skipped",
    };
    for row in &outcome.instances {
        output.print(&format!(
            "{}: {} {done}, as release {:04}\n",
            row.instance, outcome.task, row.release
        ))?;
        output.note(&row.summary);
    }
    waits::print(&outcome.waits, output)
}
