//! `grove state join`.

use std::path::PathBuf;

use grove_state::{Part, Record, STAYS, State};

use super::{RECORD, STATE, parse, read, write_whole};
use crate::{
    error::{CommandError, Exit, Result},
    output::{Output, count},
    workspace::is_json,
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

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result {
    if arguments.out.exists() {
        return Err(CommandError::usage(format!(
            "{} is there already",
            arguments.out.display()
        )));
    }
    let (record, texts) = parts(&arguments.directory)?;
    let parts = texts
        .iter()
        .map(|(path, stack, text)| {
            let state: State<'_> = parse(path, text)?;
            Ok(Part {
                stack: stack.clone(),
                state,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let joined = grove_state::join(&parts, &record)?;
    write_whole(&arguments.out, &joined.to_text())?;
    let objects = joined.len();
    if is_json(output) {
        output.json(
            &serde_json::json!({"version": 1, "objects": objects, "serial": joined.serial}),
        )?;
    } else {
        output.print(&format!(
            "{} of {}, serial {}\n",
            count(objects, "object"),
            count(parts.len(), "part"),
            joined.serial
        ))?;
    }
    Ok(Exit::Done)
}

/// Path, stack and text of every part.
type Texts = Vec<(PathBuf, String, String)>;

/// The record of a split, and the text of every part.
pub(super) fn parts(directory: &std::path::Path) -> Result<(Record, Texts)> {
    let path = directory.join(RECORD);
    let text = fs_err::read_to_string(&path).map_err(|error| {
        CommandError::from_error(Exit::Usage, &error)
            .hint("this is no directory of `grove state split`")
    })?;
    let record: Record = serde_json::from_str(&text).map_err(|error| {
        CommandError::from_error(Exit::No, &error)
            .context(format!("{} is no record of a split", path.display()))
    })?;
    let mut texts = Vec::new();
    for part in &record.parts {
        // The record is a file like any other: a name in it must not lead elsewhere.
        let is_hidden = |name: &str| name.is_empty() || name.starts_with('.');
        if part.stack != STAYS && part.stack.split('/').any(is_hidden) {
            return Err(CommandError::new(
                Exit::No,
                format!("{} names a stack `{}`", path.display(), part.stack),
            ));
        }
        let file = directory.join(&part.stack).join(STATE);
        texts.push((file.clone(), part.stack.clone(), read(&file)?));
    }
    Ok((record, texts))
}
