//! `grove seal`.

mod rotate;

use crate::{error::Result, global::Global, output::Output};

/// Keep the key that a cluster's secrets are sealed to.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove seal rotate prod")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Rotate(rotate::Arguments),
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    match &arguments.command {
        Command::Rotate(arguments) => rotate::run(arguments, global, output),
    }
}
