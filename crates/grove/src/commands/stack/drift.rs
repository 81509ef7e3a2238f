//! `grove stack drift`.

use std::mem;

use grove_operations::{
    stacks::drift::{self, Row},
    text::count,
};

use super::{Bounds, fail};
use crate::{
    around,
    error::{Exit, Kind, Result},
    global::Global,
    options::{Program, StackSelection},
    output::Output,
};

/// Look what others changed of what stacks made.
///
/// Asks providers what there is and compares it with the states; changes nothing. `grove status` shows
/// what was found last. Ends with exit code 1 where anything differs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove stack drift\n\
    \x20 grove stack drift prod --format json")]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: StackSelection,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    program: Program,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[&arguments.program])?;
    let request = drift::Request {
        revision: global.rev.clone(),
        selection: arguments.selection.request(),
        bounds: arguments.bounds.request(),
    };
    let mut outcome = drift::read(&around, &request)?;
    let failures = mem::take(&mut outcome.failures);
    let is_drifted = outcome.stacks.iter().any(|row| !row.drift.is_empty());
    output.outcome(&outcome, || match (is_drifted, failures.is_empty()) {
        (false, true) => format!("{}: no drift\n", count(outcome.stacks.len(), "stack")),
        _ => text(&outcome.stacks),
    })?;
    fail(failures, output)?;
    Ok(if is_drifted {
        Exit::Kind(Kind::No)
    } else {
        Exit::Done
    })
}

fn text(rows: &[Row]) -> String {
    let drifted = rows.iter().filter(|row| !row.drift.is_empty());
    let lines = drifted.flat_map(|row| {
        let changes = row.drift.iter();
        let changes = changes
            .map(|change| format!("  {}: {}\n", change.address, change.actions.join(" and ")));
        std::iter::once(format!("{}:\n", row.stack)).chain(changes)
    });
    lines.collect()
}
