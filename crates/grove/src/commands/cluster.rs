//! `grove cluster`.

mod bootstrap;

use crate::{cli::Global, error::Result, output::Output};

/// Bring a cluster up, and keep what its instances share.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove cluster bootstrap prod --plan\n\
    \x20 grove cluster bootstrap prod")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Bootstrap(bootstrap::Arguments),
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    match &arguments.command {
        Command::Bootstrap(arguments) => bootstrap::run(arguments, global, output),
    }
}
