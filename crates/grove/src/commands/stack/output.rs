//! `grove stack output`.

use std::collections::BTreeMap;

use grove_operations::stacks::{
    output::{self, Outcome},
    renew,
};
use grove_seal::Secret;

use super::place;
use crate::{
    around,
    error::{Error, Exit, Kind, Result},
    global::Global,
    options::{Program, StackSelection},
    output::Output,
    terminal,
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
        revision: global.rev.clone(),
        selection: arguments.selection.request(),
    };
    if arguments.sensitive {
        output::must_be_one(&around, &request)?;
    }
    if arguments.write {
        let request = renew::Request {
            id: global.request_id(),
            revision: request.revision.clone(),
            selection: request.selection.clone(),
        };
        let plan = renew::plan(&around, &request)?;
        let consent = terminal::consent(plan.needs(), output)?;
        plan.carry_out(&consent)?;
    }
    let mut outcome = output::read(&around, &request)?;
    if arguments.sensitive {
        show_sensitive(&mut outcome, output::open(&around, &request)?)?;
    }
    output.outcome(&outcome, || text(&outcome))?;
    Ok(Exit::Done)
}

/// Puts the values of sensitive outputs into their places: whoever runs the command asked to see them.
fn show_sensitive(outcome: &mut Outcome, values: BTreeMap<String, Secret>) -> Result<()> {
    let Some(outputs) = outcome.stacks.values_mut().next() else {
        return Ok(());
    };
    for (name, value) in values {
        let value = serde_json::from_str(value.expose()).map_err(|error| {
            Error::from_error(Kind::No, &error).context(format!("`{name}` cannot be read"))
        })?;
        outputs.insert(name, value);
    }
    Ok(())
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
