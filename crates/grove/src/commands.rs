//! One file a command.

pub(crate) mod bundle;
pub(crate) mod cluster;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod deploy;
pub(crate) mod diff;
pub(crate) mod freeze;
pub(crate) mod history;
pub(crate) mod init_task;
pub(crate) mod eject;
pub(crate) mod hold;
pub(crate) mod show;
pub(crate) mod instance;
pub(crate) mod unfreeze;
pub(crate) mod man;
pub(crate) mod render;
pub(crate) mod rollback;
pub(crate) mod new;
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
        Command::Check(arguments) => check::run(arguments, global, output),
        Command::Render(arguments) => render::run(arguments, global, output),
        Command::Diff(arguments) => diff::run(arguments, global, output),
        Command::Deploy(arguments) => deploy::run(arguments, global, output),
        Command::Rollback(arguments) => rollback::run(arguments, global, output),
        Command::Freeze(arguments) => freeze::run(arguments, global, output),
        Command::Unfreeze(arguments) => unfreeze::run(arguments, global, output),
        Command::History(arguments) => history::run(arguments, global, output),
        Command::Show(arguments) => show::run(arguments, global, output),
        Command::Instance(arguments) => instance::run(arguments, global, output),
        Command::Hold(arguments) => hold::run(arguments, global, output),
        Command::Unhold(arguments) => unhold::run(arguments, global, output),
        Command::Stack(arguments) => stack::run(arguments, global, output),
        Command::State(arguments) => state::run(arguments, global, output),
        Command::Eject(arguments) => eject::run(arguments, global, output),
        Command::New(arguments) => new::run(arguments, global, output),
        Command::Cluster(arguments) => cluster::run(arguments, global, output),
        Command::Bundle(arguments) => bundle::run(arguments, global, output),
        Command::Completions(arguments) => completions::run(arguments, output),
        Command::Man(arguments) => man::run(arguments, output),
        Command::Sandbox(arguments) => sandbox::run(arguments, output),
    }
}
