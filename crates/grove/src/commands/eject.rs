//! `grove eject`.

use std::path::PathBuf;

use grove_operations::{stacks::eject, text::count};

use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    options::StackSelection,
    output::Output,
    terminal,
};

/// Leave stacks as directories that OpenTofu runs without Grove.
///
/// Writes each stack's root module with its back end, its inputs and the versions of its providers, and
/// a page that says what it needs in its environment. The state stays where it is, so that a plan there
/// changes nothing. Secrets are not written.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove eject prod --out handover\n\
    \x20 grove eject prod:network --out network")]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: StackSelection,
    /// The directory to write, which must not exist.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[])?;
    let request = eject::Request {
        id: global.request_id(),
        revision: global.rev.clone(),
        selection: arguments.selection.request(),
    };
    let plan = eject::plan(&around, &request, &arguments.out)?;
    let consent = terminal::consent(plan.needs(), output)?;
    let outcome = plan.carry_out(&consent)?;
    for row in &outcome.stacks {
        let directory = arguments.out.join(&row.directory);
        output.print(&format!("{}  {}\n", row.stack, directory.display()))?;
    }
    output.note(&format!(
        "{}: `tofu init && tofu plan` in each changes nothing",
        count(outcome.stacks.len(), "stack")
    ));
    Ok(Exit::Done)
}
