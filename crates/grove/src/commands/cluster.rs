//! `grove cluster`.

pub(crate) mod bootstrap;
mod deploy;
mod diff;
mod down;
pub(crate) mod new;
mod rollback;
mod up;

use crate::{error::Result, global::Global, output::Output};

/// Bring a cluster up, and keep what its instances share.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove cluster new prod --provider digitalocean --region fra1 --state pg\n\
    \x20 grove cluster up prod\n\
    \x20 grove cluster bootstrap prod --plan")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    #[command(after_help = "Examples:\n\
        \x20 grove cluster new prod\n\
        \x20 grove cluster new prod --provider digitalocean --region fra1 --state pg\n\
        \x20 grove cluster new prod --provider aws --region eu-central-1 --zone a,b --state pg")]
    New(new::Arguments),
    Up(up::Arguments),
    Down(down::Arguments),
    Bootstrap(bootstrap::Arguments),
    Deploy(deploy::Arguments),
    Diff(diff::Arguments),
    Rollback(rollback::Arguments),
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    match &arguments.command {
        Command::New(arguments) => new::run(arguments, global, output),
        Command::Up(arguments) => up::run(arguments, global, output),
        Command::Down(arguments) => down::run(arguments, global, output),
        Command::Bootstrap(arguments) => bootstrap::run(arguments, global, output),
        Command::Deploy(arguments) => deploy::run(arguments, global, output),
        Command::Diff(arguments) => diff::run(arguments, global, output),
        Command::Rollback(arguments) => rollback::run(arguments, global, output),
    }
}
