//! `grove state push`.

use std::path::PathBuf;

use grove_operations::{
    state::push::{self, Places},
    text::count,
};

use super::around;
use crate::{
    error::{Exit, Result},
    global::Global,
    output::{Output, is_json},
    terminal,
};

/// Put the parts of a split into their back ends.
///
/// Then their objects are taken out of the combined state. Each stack needs a root module with its back end, at `STACKS/<stack>`; the old root must no longer
/// declare what was moved. The old root is locked, its state kept in `DIR/combined.tfstate`, the parts
/// are pushed first and the combined state last. Whatever goes wrong on the way, the same command goes
/// on from there: until the last step the combined state is as it was.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove state push parts --source combined --stacks stacks")]
pub(super) struct Arguments {
    /// The directory that `grove state split` wrote.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The old root module, whose back end holds the combined state.
    #[arg(long, value_name = "ROOT")]
    source: PathBuf,
    /// The directory with a root module for each stack.
    #[arg(long)]
    stacks: PathBuf,
    /// Push although the old root still declares what was moved: its next apply would make it anew.
    #[arg(long)]
    still_declared: bool,
    /// The program to use; default: `tofu`, else `terraform`.
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around(arguments.program.as_ref(), global, output)?;
    let request = push::Request {
        id: global.request_id(),
        still_declared: arguments.still_declared,
    };
    let places = Places {
        directory: &arguments.directory,
        source: &arguments.source,
        stacks: &arguments.stacks,
    };
    let plan = push::plan(&around, &request, places)?;
    let consent = terminal::consent(plan.needs(), output)?;
    let outcome = plan.carry_out(&consent)?;
    if is_json(output) {
        output.json(&outcome.journal)?;
    } else {
        output.print(&format!(
            "{} of {} in {}; the combined state has none of them any more\n",
            count(outcome.objects, "object"),
            count(outcome.parts, "part"),
            count(outcome.journal.pushed.len(), "back end"),
        ))?;
    }
    Ok(Exit::Done)
}
