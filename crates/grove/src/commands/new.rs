//! `grove new`.

mod distribution;
mod group;
mod instance;

use crate::{error::Result, global::Global, output::Output};

/// Make a new cluster, distribution, group or instance.
///
/// Writes commented, valid files. Nothing that is there is overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove new cluster prod\n\
    \x20 grove new distribution verawood-1\n\
    \x20 grove new instance prod/uni --distribution verawood-1 --host learn.uni.example")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Distribution(distribution::Arguments),
    Group(group::Arguments),
    Instance(instance::Arguments),
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    global.must_be_work_tree()?;
    match &arguments.command {
        Command::Distribution(arguments) => distribution::run(arguments, global, output),
        Command::Group(arguments) => group::run(arguments, global, output),
        Command::Instance(arguments) => instance::run(arguments, global, output),
    }
}
