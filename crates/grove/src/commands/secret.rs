//! `grove secret`.

mod edit;
mod generate;
mod set;
mod show;

use crate::{cli::Global, error::Result, output::Output};

/// Secrets live in SOPS files of the fleet, encrypted to the recipients that `.sops.yaml` names.
/// Names can be read without a key; values cannot.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Set one value; it is read from standard input, never from the command line.
    Set(set::Arguments),
    /// Open a file in your editor, through the `sops` program.
    Edit(edit::Arguments),
    /// List the names of an instance's secrets and where they come from, or show one value.
    Show(show::Arguments),
    /// Make the secrets that Tutor and the plugins declare and that do not exist yet.
    Generate(generate::Arguments),
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    match &arguments.command {
        Command::Set(arguments) => set::run(arguments, global, output),
        Command::Edit(arguments) => edit::run(arguments, global, output),
        Command::Show(arguments) => show::run(arguments, global, output),
        Command::Generate(arguments) => generate::run(arguments, global, output),
    }
}
