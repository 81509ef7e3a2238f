//! `grove man`.

use std::path::PathBuf;

use clap::CommandFactory as _;

use crate::{
    cli::Cli,
    error::{Exit, Result},
    output::Output,
};

/// Write the manual pages.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n\
    \x20 grove man ~/.local/share/man/man1")]
pub(crate) struct Arguments {
    /// The directory that gets one page a command (`grove.1`, `grove-check.1`, …).
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    fs_err::create_dir_all(&arguments.directory)?;
    clap_mangen::generate_to(Cli::command(), &arguments.directory)?;
    output.note(&format!(
        "wrote the manual pages to {}",
        arguments.directory.display()
    ));
    Ok(Exit::Done)
}
