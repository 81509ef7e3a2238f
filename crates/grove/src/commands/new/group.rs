//! `grove new group`.

use grove_operations::fleet::new::group::{self, Request};

use crate::{
    error::{Exit, Result},
    global::Global,
    output::Output,
    surroundings, terminal,
};

/// A group: settings that instances share.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n\
    \x20 grove new group unis")]
pub(super) struct Arguments {
    /// Its name: lower-case letters, digits and dashes.
    name: String,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = surroundings::around(global, output, &[])?;
    let request = Request {
        id: None,
        name: arguments.name.clone(),
    };
    let plan = group::plan(&around, &request)?;
    let consent = terminal::consent(plan.needs(), output)?;
    plan.carry_out(&consent)?;
    Ok(Exit::Done)
}
