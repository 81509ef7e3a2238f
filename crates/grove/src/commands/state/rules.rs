//! `grove state rules`.

use grove_operations::state::rules;

use crate::{
    error::{Exit, Result},
    output::Output,
};

/// Print the rules that Grove carries, to be changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove state rules legacy-grove")]
pub(super) struct Arguments {
    /// Which rules.
    #[arg(value_parser = [rules::BUILT_IN])]
    name: String,
}

pub(super) fn run(_: &Arguments, output: &Output) -> Result {
    output.print(rules::built_in())?;
    Ok(Exit::Done)
}
