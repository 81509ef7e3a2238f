//! One file a command.

pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod hold;
pub(crate) mod image;
pub(crate) mod init;
pub(crate) mod lock;
pub(crate) mod man;
pub(crate) mod new;
pub(crate) mod rule;
pub(crate) mod sandbox;
pub(crate) mod schema;
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
        Command::Init(arguments) => init::run(arguments, global, output),
        Command::New(arguments) => new::run(arguments, global, output),
        Command::Explain(arguments) => explain::run(arguments, global, output),
        Command::Rule(arguments) => rule::run(arguments, output),
        Command::Schema(arguments) => schema::run(arguments, output),
        Command::Lock(arguments) => lock::run(arguments, global, output),
        Command::Secret(arguments) => secret::run(arguments, global, output),
        Command::Seal(arguments) => seal::run(arguments, global, output),
        Command::Image(arguments) => image::run(arguments, global, output),
        Command::Hold(arguments) => hold::run(arguments, global, output),
        Command::Unhold(arguments) => unhold::run(arguments, global, output),
        Command::Status(arguments) => status::run(arguments, global, output),
        Command::Watch(arguments) => watch::run(arguments, global, output),
        Command::Doctor(arguments) => doctor::run(arguments, global, output),
        Command::Completions(arguments) => completions::run(arguments, output),
        Command::Man(arguments) => man::run(arguments, output),
        Command::Sandbox(arguments) => sandbox::run(arguments, output),
    }
}
