//! `grove stack plan`.

use std::mem;

use grove_operations::{
    stacks::{
        plan::{self, Outcome, Row},
        standing::Standing,
    },
    text::count,
};
use grove_stack::plan::Changes;

use super::{Bounds, fail};
use crate::{
    around,
    error::Result,
    global::Global,
    options::{Program, StackSelection},
    output::{Output, is_json},
    terminal,
};

/// Plan stacks and keep the plans for `grove stack apply`.
///
/// A stack whose module, inputs and providers are what was applied is stepped over. One that reads what
/// another has not given yet is blocked: nothing is ever planned with a made-up value.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove stack plan prod\n\
    \x20 grove stack plan 'prod/*:instance' --parallel 8")]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: StackSelection,
    /// Plan what is unchanged, too.
    #[arg(long)]
    force: bool,
    /// Plan to destroy everything of the selected stacks.
    #[arg(long)]
    destroy: bool,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    program: Program,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[&arguments.program])?;
    let request = plan::Request {
        id: global.request_id(),
        revision: global.rev.clone(),
        selection: arguments.selection.request(),
        force: arguments.force,
        destroy: arguments.destroy,
        bounds: arguments.bounds.request(),
    };
    let plan = plan::plan(&around, &request)?;
    let consent = terminal::consent(plan.needs(), output)?;
    let mut outcome = plan.carry_out(&consent)?;
    let failures = mem::take(&mut outcome.failures);
    output.outcome(&outcome, || text(&outcome))?;
    let rows = outcome.stacks.iter();
    let planned = rows.filter(|row| row.state == Standing::Planned).count();
    if planned > 0 && !is_json(output) {
        output.note(&format!(
            "{} kept: `grove stack apply` carries out what is planned here",
            count(planned, "plan")
        ));
    }
    fail(failures, output)
}

fn text(outcome: &Outcome) -> String {
    let lines = outcome.stacks.iter().flat_map(|row| {
        let changes = row.changes.iter().flat_map(Changes::lines);
        let first = format!("{}: {}{}\n", row.stack, row.state, more(row));
        std::iter::once(first).chain(changes.map(|line| format!("  {line}\n")))
    });
    lines.collect()
}

/// What a plan changes, or why there is none.
fn more(row: &Row) -> String {
    match (&row.changes, &row.why) {
        (Some(changes), _) if !changes.is_empty() => format!(" {}", changes.counts()),
        (_, Some(why)) => format!(": {why}"),
        _ => String::new(),
    }
}
