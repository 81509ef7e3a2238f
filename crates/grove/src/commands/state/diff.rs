//! `grove state diff`.

use std::path::PathBuf;

use grove_state::Difference;

use super::{parse, read};
use crate::{
    error::{Exit, Result},
    output::Output,
    workspace::is_json,
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

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result {
    let (first, second) = (read(&arguments.first)?, read(&arguments.second)?);
    let first = parse(&arguments.first, &first)?;
    let second = parse(&arguments.second, &second)?;
    let differences = grove_state::diff(&first, &second);
    if is_json(output) {
        output.json(&serde_json::json!({"version": 1, "differences": differences}))?;
    } else {
        for difference in &differences {
            output.print(&match difference {
                Difference::OnlyFirst { address } => format!("- {address}\n"),
                Difference::OnlySecond { address } => format!("+ {address}\n"),
                Difference::Changed { address, fields } => {
                    format!("~ {address}: {}\n", fields.join(", "))
                }
            })?;
        }
    }
    Ok(if differences.is_empty() {
        Exit::Done
    } else {
        Exit::No
    })
}
