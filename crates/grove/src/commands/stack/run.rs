//! `grove stack run`.

use std::io::IsTerminal as _;

use grove_operations::stacks::run;

use crate::{
    around,
    error::{Exit, Kind, Result},
    global::Global,
    options::Program,
    output::Output,
};

/// Run the program in a stack's root module, for all that Grove has no command for.
///
/// It finds back end, inputs and credentials as Grove's own runs do. On a terminal it talks to you;
/// elsewhere its output is cleaned of the credentials that it was given.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove stack run prod:network -- state list\n\
    \x20 grove stack run prod:data -- import digitalocean_database_db.x id")]
pub(super) struct Arguments {
    /// The stack: `cluster:stack` or `cluster/instance:stack`.
    #[arg(value_name = "STACK")]
    stack: String,
    /// What the program is told.
    #[arg(value_name = "ARGUMENTS", last = true, required = true)]
    words: Vec<String>,
    #[command(flatten)]
    program: Program,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[&arguments.program])?;
    let request = run::Request {
        id: global.request_id(),
        revision: global.rev.clone(),
        stack: arguments.stack.clone(),
    };
    let prepared = run::prepare(&around, &request)?;
    if std::io::stdin().is_terminal() {
        return Ok(if prepared.interact(&arguments.words)? {
            Exit::Done
        } else {
            Exit::Kind(Kind::Tool)
        });
    }
    let mut printed = Ok(());
    prepared.follow(&arguments.words, |line| {
        if printed.is_ok() {
            printed = output.print(&format!("{line}\n"));
        }
    })?;
    printed?;
    Ok(Exit::Done)
}
