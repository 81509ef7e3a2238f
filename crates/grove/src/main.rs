//! The `grove` command.
//!
//! This crate knows the terminal, the environment, the clock and the directories of a user; no
//! other crate does. One file a command stands under `commands/`.

mod cli;
mod commands;
mod error;
mod keys;
mod output;
mod pipeline;
mod releasing;
mod report;
mod secrets;
mod surroundings;
mod workspace;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::{cli::Cli, output::Output};

fn main() -> ExitCode {
    clap_complete::CompleteEnv::with_factory(Cli::command).complete();
    let cli = Cli::parse();
    let output = Output::new(cli.global.format, cli.global.color, cli.global.quiet);
    let result = commands::run(&cli, &output);
    output.progress_done();
    let exit = result.unwrap_or_else(|error| {
        output.error(&error);
        error.exit
    });
    ExitCode::from(exit as u8)
}
