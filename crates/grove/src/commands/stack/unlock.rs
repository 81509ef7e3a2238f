//! `grove stack unlock`.

use grove_operations::stacks::unlock;
use grove_stack::stack::Address;

use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    options::Program,
    output::Output,
    terminal,
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
    let around = around::of(global, output, &[&arguments.program])?;
    let request = unlock::Request {
        id: global.request_id(),
        revision: global.rev.clone(),
        stack: arguments.stack.to_string(),
        lock: arguments.id.clone(),
    };
    let plan = unlock::plan(&around, &request)?;
    let consent = terminal::consent(plan.needs(), output)?;
    let outcome = plan.carry_out(&consent)?;
    output.note(&format!("`{}` is free", outcome.stack));
    Ok(Exit::Done)
}
