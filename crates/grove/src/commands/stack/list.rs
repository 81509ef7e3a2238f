//! `grove stack list`.

use grove_operations::stacks::list::{self, Origin, Outcome};

use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    options::StackSelection,
    output::{Output, is_json},
};

/// List stacks: what each waits for, and whether it is what was applied.
///
/// Reads the fleet alone; what others changed meanwhile is what `grove stack drift` shows.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove stack list\n\
    \x20 grove stack list prod --format json")]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: StackSelection,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[])?;
    let request = list::Request {
        revision: global.rev.clone(),
        selection: arguments.selection.request(),
    };
    let outcome = list::read(&around, &request)?;
    output.outcome(&outcome, || text(&outcome))?;
    if outcome.stacks.is_empty() && !is_json(output) {
        output.note("the fleet has no stacks");
    }
    Ok(Exit::Done)
}

fn text(outcome: &Outcome) -> String {
    let rows = outcome.stacks.iter();
    let width = rows.clone().map(|row| row.stack.len()).max();
    let width = width.unwrap_or_default();
    let lines = rows.map(|row| {
        let origin = match row.origin {
            Origin::Fleet => "fleet",
            Origin::Grove => "grove",
            Origin::Own => "own",
        };
        let serial = row.serial.map(|serial| format!(", serial {serial}"));
        let why = row.why.as_ref().map(|why| format!(": {why}"));
        format!(
            "{:width$}  {origin:<9}  {}{}{}\n",
            row.stack,
            row.state,
            serial.unwrap_or_default(),
            why.unwrap_or_default()
        )
    });
    lines.collect()
}
