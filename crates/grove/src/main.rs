//! The `grove` command.
//!
//! This crate knows the terminal, the environment, the clock and the directories of a user; no
//! other crate does. One file a command stands under `commands/`.

mod around;
mod candidates;
mod cli;
mod commands;
mod error;
mod global;
mod options;
mod output;
mod report;
mod runs;
mod surroundings;
mod terminal;
mod waits;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::{
    cli::{Cli, Command},
    error::{Exit, Kind},
    output::Output,
};

fn main() -> ExitCode {
    clap_complete::CompleteEnv::with_factory(Cli::command)
        .var(commands::completions::VARIABLE)
        .complete();
    let cli = Cli::parse();
    // A sandbox restricts this process before any thread is started; a signal's handler is one.
    if !matches!(cli.command, Command::Sandbox(_)) {
        end_programs_when_interrupted();
    }
    let output = Output::new(
        cli.global.format,
        cli.global.color,
        cli.global.quiet,
        surroundings::variable("NO_COLOR").is_some(),
    );
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        commands::run(&cli, &output)
    }));
    output.progress_done();
    let exit = match result {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            output.error(&error);
            Exit::Kind(error.kind)
        }
        Err(_) => {
            output.must_see("this is a bug of Grove's; the lines above help to find it");
            Exit::Kind(Kind::Bug)
        }
    };
    ExitCode::from(exit.code())
}

/// Programs run in process groups of their own, which the terminal's signal does not reach. Whatever
/// was being written stays as it was: files and branches are replaced in one step.
fn end_programs_when_interrupted() {
    #[expect(
        clippy::exit,
        reason = "an interrupted command has nothing left to unwind"
    )]
    let interrupted = || {
        grove_exec::end_all();
        std::process::exit(130);
    };
    // Only a second handler would be refused.
    let _set = ctrlc::set_handler(interrupted);
}
