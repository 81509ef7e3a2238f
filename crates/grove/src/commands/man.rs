//! `grove man`.

use std::path::PathBuf;

use clap::CommandFactory as _;

use crate::{
    cli::Cli,
    error::{Exit, Result},
    output::Output,
};

#[derive(Debug, clap::Args)]
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
