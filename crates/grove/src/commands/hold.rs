//! `grove hold`.

use std::fmt::Write as _;

use grove_operations::release::hold::{self, Change, Outcome};

use crate::{
    around,
    error::{Error, Exit, Result},
    global::Global,
    options::{Branches, Instances},
    output::Output,
    surroundings, terminal,
};

/// How often a hold is made from what others left.
const CONFLICTS: u32 = 20;

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
    branches: Branches,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let change = Change::Hold {
        reason: arguments.message.clone(),
    };
    carry_out(
        change,
        &arguments.instances,
        &arguments.branches,
        global,
        output,
    )
}

/// Holds instances, or ends their holds, and says what became of each.
pub(super) fn carry_out(
    change: Change,
    instances: &Instances,
    branches: &Branches,
    global: &Global,
    output: &Output,
) -> Result {
    let around = around::of(global, output, &[branches])?;
    let request = hold::Request {
        id: surroundings::request_id(),
        target: terminal::target(&around, instances, global, output)?,
        change,
    };
    let mut left = CONFLICTS;
    loop {
        let plan = hold::plan(&around, &request)?;
        let consent = terminal::consent(plan.needs(), output)?;
        let (outcome, failure) = match plan.carry_out(&consent) {
            Ok(mut outcome) => {
                let failure = outcome.failure.take();
                (Some(outcome), failure)
            }
            Err(error) => (None, Some(error)),
        };
        // What others released or held meanwhile is no reason not to hold what runs now. A hold that was not seen
        // is not ended.
        if left > 0
            && matches!(request.change, Change::Hold { .. })
            && failure.as_ref().is_some_and(is_conflict)
        {
            left -= 1;
            continue;
        }
        if let Some(outcome) = outcome {
            show(&outcome, output)?;
        }
        return failure.map_or(Ok(Exit::Done), Err);
    }
}

/// Whether others changed the same meanwhile.
fn is_conflict(error: &Error) -> bool {
    matches!(
        error.cause::<grove_release::Error>(),
        Some(grove_release::Error::Conflict(_))
    )
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
