//! `grove state join`.

use std::path::PathBuf;

use grove_operations::{state::join, text::count};
use serde_json::json;

use super::around;
use crate::{
    error::{Exit, Result},
    global::Global,
    output::Output,
    terminal,
};

/// Put the parts of a split together again.
///
/// Reads `split.json` and the parts as they are now, also where they were applied since, and writes one
/// state with the lineage that was split and the serial after it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove state join parts --out combined.tfstate")]
pub(super) struct Arguments {
    /// The directory that `grove state split` wrote.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Where the state goes: a file that is not there yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around(None, global, output)?;
    let request = join::Request {
        id: global.request_id(),
    };
    let plan = join::plan(&around, &request, &arguments.directory, &arguments.out)?;
    let consent = terminal::consent(plan.needs(), output)?;
    let outcome = plan.carry_out(&consent)?;
    let join::Outcome {
        objects,
        parts,
        serial,
    } = outcome;
    output.outcome(&json!({"objects": objects, "serial": serial}), || {
        format!(
            "{} of {}, serial {serial}\n",
            count(objects, "object"),
            count(parts, "part")
        )
    })?;
    Ok(Exit::Done)
}
