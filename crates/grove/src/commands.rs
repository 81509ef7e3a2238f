//! One file a command.

pub(crate) mod completions;
pub(crate) mod data;
pub(crate) mod do_job;
pub(crate) mod hold;
pub(crate) mod logs;
pub(crate) mod man;
pub(crate) mod run;
pub(crate) mod sandbox;
pub(crate) mod shell;
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
        Command::Data(arguments) => data::run(arguments, global, output),
        Command::Run(arguments) => run::run(arguments, global, output),
        Command::Do(arguments) => do_job::run(arguments, global, output),
        Command::Shell(arguments) => shell::run(arguments, global, output),
        Command::Logs(arguments) => logs::run(arguments, global, output),
        Command::Completions(arguments) => completions::run(arguments, output),
        Command::Man(arguments) => man::run(arguments, output),
        Command::Sandbox(arguments) => sandbox::run(arguments, output),
    }
}
