//! `grove sandbox`: restricts this process and becomes another program. Grove calls it for itself.

use std::ffi::OsString;

use crate::{
    error::{Error, Exit, Kind, Result},
    output::Output,
};

/// Restrict this process, then become another program.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The restrictions, as JSON.
    description: String,
    /// The program and its arguments; without one, what this machine gives is printed.
    #[arg(last = true)]
    command: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let failed = |error| Error::from_error(Kind::Tool, &error);
    if arguments.command.is_empty() {
        output.json(&grove_exec::sandbox::report(&arguments.description).map_err(failed)?)?;
        return Ok(Exit::Done);
    }
    match grove_exec::sandbox::enter(&arguments.description, &arguments.command).map_err(failed)? {}
}
