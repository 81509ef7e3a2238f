//! `grove schema`.

use clap::builder::PossibleValuesParser;
use grove_operations::fleet::schemas::{self, kinds};

use crate::{
    error::{Exit, Result},
    output::{Output, is_json},
};

/// Print the JSON Schema of a kind of file, or of an answer.
///
/// The schemas (2020-12) are for editors and other programs. Without a kind, the kinds are listed;
/// `status` is what `grove status --format json` prints.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n\
    \x20 grove schema instance > instance.schema.json")]
pub(crate) struct Arguments {
    /// The kind; without it, the kinds are listed.
    #[arg(value_parser = PossibleValuesParser::new(kinds()))]
    kind: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    if let Some(kind) = &arguments.kind {
        output.json(&schemas::read(kind)?)?;
        return Ok(Exit::Done);
    }
    let names: Vec<&str> = kinds().collect();
    if is_json(output) {
        output.json(&serde_json::json!({"version": 1, "kinds": names}))?;
    } else {
        output.print(&format!("{}\n", names.join("\n")))?;
    }
    Ok(Exit::Done)
}
