//! `grove state`.

mod diff;
mod join;
mod push;
mod rules;
mod split;
mod verify;

use std::{
    io::{Read as _, Write as _},
    path::Path,
};

use fs_err::os::unix::fs::OpenOptionsExt as _;
use grove_state::{Error, State};

use crate::{
    error::{CommandError, Exit, Result, from_error},
    output::Output,
};

from_error!(grove_state::Error, |_| Exit::No);

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

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    match &arguments.command {
        Command::Split(arguments) => split::run(arguments, output),
        Command::Join(arguments) => join::run(arguments, output),
        Command::Push(arguments) => push::run(arguments, output),
        Command::Diff(arguments) => diff::run(arguments, output),
        Command::Rules(arguments) => rules::run(arguments, output),
        Command::Verify(arguments) => verify::run(arguments, output),
    }
}

/// The name of the rules that Grove carries.
const BUILT_IN: &str = "legacy-grove";
/// The name of a state's file in the directory of its stack, where the local back end looks for it.
const STATE: &str = "terraform.tfstate";
/// The name of the record of a split.
const RECORD: &str = "split.json";

/// The text of a state: of a file, or of stdin for `-`.
fn read(path: &Path) -> Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    fs_err::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            CommandError::usage(format!("there is no {}", path.display()))
                .hint("`tofu state pull` writes the state of a back end to stdout")
        }
        _ => error.into(),
    })
}

/// Reads a state; an error names its file.
fn parse<'a>(path: &Path, text: &'a str) -> Result<State<'a>> {
    State::parse(text).map_err(|error: Error| {
        CommandError::from(error).context(format!("cannot read {}", path.display()))
    })
}

/// The directory that a path is in.
fn parent(path: &Path) -> &Path {
    let parent = path.parent();
    parent
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A new file that only the user may read: a state holds passwords.
fn new_private(path: &Path) -> Result<fs_err::File> {
    let mut options = fs_err::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    Ok(options.open(path)?)
}

/// Writes a new file that only the user may read.
fn write_private(path: &Path, text: &str) -> Result<()> {
    Ok(new_private(path)?.write_all(text.as_bytes())?)
}

/// Writes a file that only the user may read, whole or not at all.
fn write_whole(path: &Path, text: &str) -> Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(parent(path))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)
        .map_err(|error| CommandError::from_error(Exit::Tool, &error.error))?;
    Ok(())
}
