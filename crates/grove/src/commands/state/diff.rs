//! `grove state diff`.

use std::path::PathBuf;

use grove_operations::state::diff::{self, Outcome};
use grove_state::Difference;

use super::{around, source};
use crate::{
    error::{Exit, Kind, Result},
    global::Global,
    output::Output,
};

/// Compare two states by content.
///
/// Order, blanks, serial and lineage do not count. Values are never shown: a state holds passwords. Ends
/// with exit code 1 where they differ.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove state diff combined.tfstate joined.tfstate")]
pub(super) struct Arguments {
    /// One state; `-` for stdin.
    first: PathBuf,
    /// The other.
    second: PathBuf,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around(None, global, output)?;
    let (first, second) = (source(&arguments.first)?, source(&arguments.second)?);
    let outcome = diff::read(&around, &first, &second)?;
    output.outcome(&outcome, || text(&outcome))?;
    Ok(if outcome.differences.is_empty() {
        Exit::Done
    } else {
        Exit::Kind(Kind::No)
    })
}

fn text(outcome: &Outcome) -> String {
    let lines = outcome
        .differences
        .iter()
        .map(|difference| match difference {
            Difference::OnlyFirst { address } => format!("- {address}\n"),
            Difference::OnlySecond { address } => format!("+ {address}\n"),
            Difference::Changed { address, fields } => {
                format!("~ {address}: {}\n", fields.join(", "))
            }
        });
    lines.collect()
}
