//! `grove stack output`.

use grove_operations::stacks::output::{self, Outcome};

use super::place;
use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    options::{Program, StackSelection},
    output::Output,
};

/// Show what stacks gave when they were applied.
///
/// Sensitive outputs are named and not shown, unless one stack is asked for with `--sensitive`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove stack output prod:network\n\
    \x20 grove stack output prod:cluster --sensitive --format json")]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: StackSelection,
    /// Show the values of sensitive outputs, too; of one stack at a time.
    #[arg(long)]
    sensitive: bool,
    /// Write the outputs anew from the state.
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    program: Program,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[&arguments.program])?;
    let request = output::Request {
        id: global.request_id(),
        revision: global.rev.clone(),
        selection: arguments.selection.request(),
        sensitive: arguments.sensitive,
        write: arguments.write,
    };
    let outcome = output::read(&around, &request)?;
    output.outcome(&outcome, || text(&outcome))?;
    Ok(Exit::Done)
}

fn text(outcome: &Outcome) -> String {
    let mut stacks: Vec<_> = outcome.stacks.iter().collect();
    stacks.sort_by_cached_key(|(stack, _)| place(stack));
    let lines = stacks.into_iter().flat_map(|(stack, outputs)| {
        let outputs = outputs.iter();
        outputs.map(move |(name, value)| format!("{stack}.{name} = {value}\n"))
    });
    lines.collect()
}
