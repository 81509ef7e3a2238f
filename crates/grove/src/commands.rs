//! One file a command.

pub(crate) mod completions;
pub(crate) mod eject;
pub(crate) mod hold;
pub(crate) mod man;
pub(crate) mod sandbox;
pub(crate) mod stack;
pub(crate) mod state;
pub(crate) mod unhold;

use crate::{
    cli::{Cli, Command},
    error::Result,
    output::Output,
};

/// Runs the command that was asked for.
pub(crate) fn run(cli: &Cli, output: &Output) -> Result {
    let global = &cli.global;
    match &cli.command {
        Command::Hold(arguments) => hold::run(arguments, global, output),
        Command::Unhold(arguments) => unhold::run(arguments, global, output),
        Command::Stack(arguments) => stack::run(arguments, global, output),
        Command::State(arguments) => state::run(arguments, global, output),
        Command::Eject(arguments) => eject::run(arguments, global, output),
        Command::Completions(arguments) => completions::run(arguments, output),
        Command::Man(arguments) => man::run(arguments, output),
        Command::Sandbox(arguments) => sandbox::run(arguments, output),
    }
}
