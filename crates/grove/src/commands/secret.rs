//! `grove secret`.

mod edit;
mod generate;
mod remove;
mod rotate;
mod set;
mod show;
mod who;

use crate::{error::Result, global::Global, output::Output};

/// Set, edit, show, generate or rotate secrets, and see who can read them.
///
/// Secrets live in SOPS files of the fleet, encrypted to the recipients that `.sops.yaml` names.
/// Names can be read without a key; values cannot.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove secret generate prod/uni\n\
    \x20 grove secret set prod/uni SMTP_PASSWORD < password.txt\n\
    \x20 grove secret show prod/uni")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Set(set::Arguments),
    Edit(edit::Arguments),
    Show(show::Arguments),
    Remove(remove::Arguments),
    Generate(generate::Arguments),
    Rotate(Box<rotate::Arguments>),
    Who(who::Arguments),
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    match &arguments.command {
        Command::Set(arguments) => set::run(arguments, global, output),
        Command::Edit(arguments) => edit::run(arguments, global, output),
        Command::Show(arguments) => show::run(arguments, global, output),
        Command::Remove(arguments) => remove::run(arguments, global, output),
        Command::Generate(arguments) => generate::run(arguments, global, output),
        Command::Who(arguments) => who::run(arguments, global, output),
        Command::Rotate(arguments) => rotate::run(arguments, global, output),
    }
}
