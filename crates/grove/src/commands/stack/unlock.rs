//! `grove stack unlock`.

use grove_stack::stack::Address;

use crate::{
    cli::Global,
    error::{CommandError, Exit, Result},
    output::Output,
    stacks::{Program, Stacks},
    workspace::Workspace,
};

/// Take away the lock of a stack's state that somebody left behind.
///
/// Its id stands in the error that names the lock. Whoever still works on the state would lose what they
/// made: a lock whose process still runs on this machine is left alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove stack unlock prod:network 5c3d2f0a-0b7e-4d1c-9a53-1f6d0c1b2a3e")]
pub(super) struct Arguments {
    /// The stack.
    #[arg(value_name = "STACK")]
    stack: Address,
    /// The lock's id.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    program: Program,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let stacks = Stacks::open(&workspace, &arguments.program, output)?;
    let address = &arguments.stack;
    if !stacks.fleet.stacks.contains_key(address) {
        return Err(
            CommandError::usage(format!("there is no stack `{address}`"))
                .hint("`grove stack list` names them"),
        );
    }
    let root = stacks.runnable(address)?;
    let mut ready = stacks.ready(address, root)?;
    let runner = stacks.runner();
    // Opening fails while a process of this machine works on it.
    let work = runner.open(&mut ready, &|text| output.note(text))?;
    if let Some(process) = work.running() {
        return Err(CommandError::refused(format!(
            "process {process} of this machine still works on `{address}`"
        )));
    }
    let run = work.run(&runner.program, &ready.environment);
    let unlocked = run.run(&["force-unlock", "-force", &arguments.id]);
    unlocked.map_err(|error| error.context(format!("`{address}` cannot be unlocked")))?;
    output.note(&format!("`{address}` is free"));
    Ok(Exit::Done)
}
