//! `grove schema`.

use grove_fleet::{schema, shape::FileKind};

use crate::{
    error::{CommandError, Exit, Result},
    output::Output,
};

/// Prints the JSON Schema (2020-12) of a kind of file, for editors and other programs.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The kind of file; without it, the kinds are listed.
    kind: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let names = FileKind::ALL.map(FileKind::name);
    let Some(kind) = &arguments.kind else {
        for name in names {
            output.print(&format!("{name}\n"))?;
        }
        return Ok(Exit::Done);
    };
    let kind = FileKind::ALL
        .into_iter()
        .find(|known| known.name() == kind)
        .ok_or_else(|| {
            CommandError::usage(format!("there is no kind of file `{kind}`"))
                .hint(format!("there are: {}", names.join(", ")))
        })?;
    output.json(&schema::json(kind))?;
    Ok(Exit::Done)
}
