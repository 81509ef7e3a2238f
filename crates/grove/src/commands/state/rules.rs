//! `grove state rules`.

use super::BUILT_IN;
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
    #[arg(value_parser = [BUILT_IN])]
    name: String,
}

pub(super) fn run(_: &Arguments, output: &Output) -> Result {
    output.print(grove_state::LEGACY)?;
    Ok(Exit::Done)
}
