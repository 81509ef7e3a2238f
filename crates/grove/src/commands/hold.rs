//! `grove hold`.

use std::fmt::Write as _;

use grove_operations::release::hold::{self, Change, Outcome};

use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    options::{Instances, Remotes},
    output::Output,
    terminal,
};

/// Keep instances at the release they run.
///
/// A deploy passes held instances over until `grove unhold`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n\
    \x20 grove hold prod/uni -m \"Exams until Friday\"")]
pub(crate) struct Arguments {
    /// Why; shown wherever the hold is.
    #[arg(short, long = "message", value_name = "TEXT")]
    message: String,
    #[command(flatten)]
    instances: Instances,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let change = Change::Hold {
        reason: arguments.message.clone(),
    };
    carry_out(
        change,
        &arguments.instances,
        &arguments.remotes,
        global,
        output,
    )
}

/// Holds instances, or ends their holds, and says what became of each.
pub(super) fn carry_out(
    change: Change,
    instances: &Instances,
    remotes: &Remotes,
    global: &Global,
    output: &Output,
) -> Result {
    let around = around::of(global, output, &[remotes])?;
    let request = hold::Request {
        id: global.request_id(),
        target: terminal::target(&around, instances, global, output)?,
        change,
    };
    let plan = hold::plan(&around, &request)?;
    let consent = terminal::consent(plan.needs(), output)?;
    let mut outcome = plan.carry_out(&consent)?;
    let failure = outcome.failure.take();
    show(&outcome, output)?;
    failure.map_or(Ok(Exit::Done), Err)
}

fn show(outcome: &Outcome, output: &Output) -> Result<()> {
    output.outcome(outcome, || {
        let mut text = String::new();
        for (address, said) in &outcome.instances {
            let _written = writeln!(text, "{address}: {said}");
        }
        text
    })
}
