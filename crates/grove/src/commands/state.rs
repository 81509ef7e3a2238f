//! `grove state`.

mod diff;
mod join;
mod push;
mod rules;
mod split;
mod verify;

use std::path::{Path, PathBuf};

use grove_operations::{Around, state::source::Source};

use crate::{around, error::Result, global::Global, output::Output};

/// Take a state of OpenTofu or Terraform apart, and put it together.
///
/// Works on files of version 4, of both programs; `tofu state pull` writes one. Only `push` writes to a
/// back end.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove state split --from combined.tfstate --map rules.yaml --out parts\n\
    \x20 grove state verify parts")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Split(split::Arguments),
    Join(join::Arguments),
    Push(push::Arguments),
    Diff(diff::Arguments),
    Rules(rules::Arguments),
    Verify(verify::Arguments),
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    match &arguments.command {
        Command::Split(arguments) => split::run(arguments, global, output),
        Command::Join(arguments) => join::run(arguments, global, output),
        Command::Push(arguments) => push::run(arguments, global, output),
        Command::Diff(arguments) => diff::run(arguments, global, output),
        Command::Rules(arguments) => rules::run(arguments, output),
        Command::Verify(arguments) => verify::run(arguments, global, output),
    }
}

/// What is around operations on states, with the program that was named. No fleet is needed.
fn around(program: Option<&PathBuf>, global: &Global, output: &Output) -> Result<Around> {
    let mut around = around::of(global, output, &[])?;
    around.tofu = program.cloned();
    Ok(around)
}

/// Where a state is read from: a file, or `-` for stdin.
fn source(path: &Path) -> Result<Source> {
    let name = path.to_owned();
    if path != Path::new("-") {
        return Ok(Source::File(name));
    }
    let text = std::io::read_to_string(std::io::stdin())?;
    Ok(Source::Text { name, text })
}
