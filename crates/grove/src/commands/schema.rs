//! `grove schema`.

use clap::builder::PossibleValuesParser;
use grove_fleet::{schema, shape::FileKind};

use crate::{
    error::{CommandError, Exit, Result},
    output::Output,
    workspace::is_json,
};

/// Print the JSON Schema of a kind of file.
///
/// The schemas (2020-12) are for editors and other programs. Without a kind, the kinds are listed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n\
    \x20 grove schema instance > instance.schema.json")]
pub(crate) struct Arguments {
    /// The kind of file; without it, the kinds are listed.
    #[arg(value_parser = PossibleValuesParser::new(FileKind::ALL.map(FileKind::name)))]
    kind: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let Some(kind) = &arguments.kind else {
        let names = FileKind::ALL.map(FileKind::name);
        if is_json(output) {
            output.json(&serde_json::json!({"version": 1, "kinds": names}))?;
            return Ok(Exit::Done);
        }
        for name in names {
            output.print(&format!("{name}\n"))?;
        }
        return Ok(Exit::Done);
    };
    let kind = FileKind::ALL
        .into_iter()
        .find(|known| known.name() == kind)
        .ok_or_else(|| CommandError::usage(format!("there is no kind of file `{kind}`")))?;
    output.json(&schema::json(kind))?;
    Ok(Exit::Done)
}
