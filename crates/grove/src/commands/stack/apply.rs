//! `grove stack apply`.

use std::mem;

use grove_operations::stacks::apply::{self, Outcome};

use super::{Bounds, fail};
use crate::{
    around,
    error::Result,
    global::Global,
    options::{Program, StackSelection},
    output::Output,
    terminal::{self, Agreed},
};

/// Apply stacks in their order, and keep what they give in the fleet.
///
/// A plan that `grove stack plan` kept is carried out, and refused where inputs or state changed since;
/// without one, a plan is made, shown and asked about. What is unchanged is stepped over. A plan that
/// destroys anything, or replaces a database, a cluster or a bucket, needs the stack's name.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove stack apply prod:network\n\
    \x20 grove stack apply prod --yes\n\
    \x20 grove stack apply prod/uni:instance --destroy --confirm-destroys prod/uni:instance")]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: StackSelection,
    /// Apply what is unchanged, too.
    #[arg(long)]
    force: bool,
    /// Destroy everything of the selected stacks.
    #[arg(long)]
    destroy: bool,
    /// Ask nothing but what `--confirm-destroys` is for.
    #[arg(long, short)]
    yes: bool,
    /// Agree that this stack destroys or replaces what its plan says; may be given several times.
    #[arg(long, value_name = "STACK")]
    confirm_destroys: Vec<String>,
    /// How many minutes one apply may take.
    #[arg(long, value_name = "MINUTES", default_value_t = 120)]
    timeout: u64,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    program: Program,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[&arguments.program])?;
    let request = apply::Request {
        id: global.request_id(),
        revision: global.rev.clone(),
        selection: arguments.selection.request(),
        force: arguments.force,
        destroy: arguments.destroy,
        timeout: arguments.timeout,
        bounds: arguments.bounds.request(),
    };
    let agreed = Agreed {
        to_apply: arguments.yes,
        to_destroy: &arguments.confirm_destroys,
        ..Agreed::default()
    };
    let mut apply = apply::begin(&around, &request)?;
    while let Some(mut level) = apply.next()? {
        let consent = terminal::level(&around, &mut level, &agreed, output);
        level.carry_out(&consent)?;
    }
    let mut outcome = apply.outcome();
    let failures = mem::take(&mut outcome.failures);
    let stale = mem::take(&mut outcome.stale);
    output.outcome(&outcome, || text(&outcome))?;
    for stale in stale {
        let readers: Vec<String> = stale.readers.iter().map(|one| format!("`{one}`")).collect();
        output.note(&format!(
            "`{}` gives something else now, which {} read: plan them",
            stale.stack,
            readers.join(", ")
        ));
    }
    if outcome.stacks.iter().any(|row| row.outputs_changed) {
        output.note("outputs are in the fleet's files now: commit them");
    }
    fail(failures, output)
}

fn text(outcome: &Outcome) -> String {
    let lines = outcome.stacks.iter().map(|row| {
        let counts = row
            .changes
            .as_ref()
            .map(|changes| format!(" {}", changes.counts()));
        format!(
            "{}: {}{}\n",
            row.stack,
            row.state,
            counts.unwrap_or_default()
        )
    });
    lines.collect()
}
