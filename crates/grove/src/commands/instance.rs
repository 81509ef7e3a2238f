//! `grove instance`: what an instance does, changed over what runs.

mod maintenance;
mod start;
mod state;
mod stop;

use crate::{cli::Global, error::Result, output::Output};

/// Stop and start instances, and put them into maintenance.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Maintenance(maintenance::Arguments),
    Stop(stop::Arguments),
    Start(start::Arguments),
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    match &arguments.command {
        Command::Maintenance(arguments) => maintenance::run(arguments, global, output),
        Command::Stop(arguments) => stop::run(arguments, global, output),
        Command::Start(arguments) => start::run(arguments, global, output),
    }
}
