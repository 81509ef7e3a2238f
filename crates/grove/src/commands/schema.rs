//! `grove schema`.

use clap::builder::PossibleValuesParser;
use grove_fleet::{schema, shape::FileKind};

use crate::{
    error::{Exit, Result},
    output::Output,
    workspace::is_json,
};

/// The answer of `grove status`.
const STATUS: &str = "status";

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
    let Some(kind) = &arguments.kind else {
        let names: Vec<&str> = kinds().collect();
        if is_json(output) {
            output.json(&serde_json::json!({"version": 1, "kinds": names}))?;
            return Ok(Exit::Done);
        }
        for name in names {
            output.print(&format!("{name}\n"))?;
        }
        return Ok(Exit::Done);
    };
    let schema = match FileKind::ALL.into_iter().find(|known| known.name() == kind) {
        Some(kind) => schema::json(kind),
        None => grove_watch::schema(),
    };
    output.json(&schema)?;
    Ok(Exit::Done)
}

/// Every kind that has a schema.
fn kinds() -> impl Iterator<Item = &'static str> {
    FileKind::ALL
        .map(FileKind::name)
        .into_iter()
        .chain([STATUS])
}
