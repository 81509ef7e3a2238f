//! One file a command.

pub(crate) mod completions;
pub(crate) mod hold;
pub(crate) mod man;
pub(crate) mod sandbox;
pub(crate) mod seal;
pub(crate) mod secret;
pub(crate) mod status;
pub(crate) mod unhold;
pub(crate) mod watch;

use crate::{
    cli::{Cli, Command},
    error::Result,
    output::Output,
};

/// Runs the command that was asked for.
pub(crate) fn run(cli: &Cli, output: &Output) -> Result {
    let global = &cli.global;
    match &cli.command {
        Command::Secret(arguments) => secret::run(arguments, global, output),
        Command::Seal(arguments) => seal::run(arguments, global, output),
        Command::Hold(arguments) => hold::run(arguments, global, output),
        Command::Unhold(arguments) => unhold::run(arguments, global, output),
        Command::Status(arguments) => status::run(arguments, global, output),
        Command::Watch(arguments) => watch::run(arguments, global, output),
        Command::Completions(arguments) => completions::run(arguments, output),
        Command::Man(arguments) => man::run(arguments, output),
        Command::Sandbox(arguments) => sandbox::run(arguments, output),
    }
}
