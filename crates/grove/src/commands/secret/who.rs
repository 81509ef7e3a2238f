//! `grove secret who`.

use std::collections::{BTreeMap, BTreeSet};

use grove_operations::secrets::who::{self, Outcome, Request};

use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    output::{Output, is_json},
};

/// List who can read which secrets, and what to rotate when somebody no longer may.
///
/// Reads the recipients of each encrypted file, which needs no key. Whoever was taken out of `.sops.yaml`
/// and still stands in a file can read it. With `--recipient`, lists every value that this key opens, with
/// what its rotation needs: taking a recipient away does not take away what was read, or what Git's history
/// has.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove secret who\n\
    \x20 grove secret who --recipient age15wdwhrattpycaa49szscpzdana8wkgdwt3e4yfw6tra7ssyr83vhq4z9f88")]
pub(crate) struct Arguments {
    /// A public key: list the values that it opens.
    #[arg(long, value_name = "KEY")]
    recipient: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[])?;
    let request = Request {
        revision: global.rev.clone(),
    };
    if let Some(key) = &arguments.recipient {
        let opened = who::opened_by(&around, &request, key)?;
        output.outcome(&opened, || {
            let lines = opened.values.iter().map(|row| {
                format!(
                    "{}: {} is {}: {}\n",
                    row.file, row.secret, row.class, row.meaning
                )
            });
            lines.collect()
        })?;
        return Ok(Exit::Done);
    }
    let outcome = who::read(&around, &request)?;
    output.outcome(&outcome, || readers(&outcome))?;
    if is_json(output) {
        return Ok(Exit::Done);
    }
    let files = &outcome.files;
    let gone: BTreeSet<&String> = files.iter().flat_map(|file| &file.removed).collect();
    for key in gone {
        output.warn(&format!(
            "{key} is not in `.sops.yaml` and can still read: `sops updatekeys` takes it out of the files, and `grove secret who --recipient {key}` lists what to rotate"
        ));
    }
    for file in files.iter().filter(|file| !file.added.is_empty()) {
        output.note(&format!(
            "{}: {} cannot read it yet: `sops updatekeys {}`",
            file.path,
            file.added.join(", "),
            file.path
        ));
    }
    Ok(Exit::Done)
}

/// Who reads which files, by reader.
fn readers(outcome: &Outcome) -> String {
    let mut readers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in &outcome.files {
        let others = file.others.as_deref();
        for reader in file.recipients.iter().map(String::as_str).chain(others) {
            readers.entry(reader).or_default().push(&file.path);
        }
    }
    let lines: Vec<String> = readers
        .iter()
        .map(|(reader, files)| format!("{reader}\n  {}\n", files.join("\n  ")))
        .collect();
    lines.concat()
}
