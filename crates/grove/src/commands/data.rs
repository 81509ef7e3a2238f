//! `grove data`: databases, users and buckets on servers outside of an instance's namespace.

mod apply;
mod job;
mod list;
mod remove;
mod verify;

use crate::{cli::Global, error::Result, output::Output};

/// Make, verify and remove databases, users and buckets on shared servers.
///
/// A Job in the namespace `grove-data` of the instance's cluster does it, with the credentials of `servers`
/// of `cluster.yaml`. No instance ever sees those, and they are gone when the Job is. Each can be done again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove data list prod\n\
    \x20 grove data apply prod/uni\n\
    \x20 grove data verify '@canary'")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(list::Arguments),
    Apply(apply::Arguments),
    Verify(verify::Arguments),
    Remove(remove::Arguments),
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    match &arguments.command {
        Command::List(arguments) => list::run(arguments, global, output),
        Command::Apply(arguments) => apply::run(arguments, global, output),
        Command::Verify(arguments) => verify::run(arguments, global, output),
        Command::Remove(arguments) => remove::run(arguments, global, output),
    }
}
