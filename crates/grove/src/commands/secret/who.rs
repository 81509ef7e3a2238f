//! `grove secret who`.

use std::collections::{BTreeMap, BTreeSet};

use grove_fleet::{
    Fleet,
    rotation::{self, Class},
};
use grove_seal::source::{SopsFile, creation_for};
use serde::Serialize;

use crate::{
    cli::Global,
    error::{CommandError, Exit, Result},
    output::Output,
    releasing::{FINGERPRINT_KEY, SEALING_KEY},
    workspace::{Workspace, is_json},
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

/// One encrypted file.
#[derive(Debug, Serialize)]
struct File {
    path: String,
    recipients: Vec<String>,
    /// Recipients of other kinds than age, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    others: Option<String>,
    /// Those that `.sops.yaml` no longer names.
    removed: Vec<String>,
    /// Those that `.sops.yaml` names and that cannot read it yet.
    added: Vec<String>,
}

/// One value that is to be rotated.
#[derive(Debug, Serialize)]
struct Value {
    file: String,
    secret: String,
    class: &'static str,
    meaning: &'static str,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let files = files(&workspace)?;
    if let Some(key) = &arguments.recipient {
        return values(key, &workspace, &fleet, &files, output);
    }
    if is_json(output) {
        output.json(&serde_json::json!({"version": 1, "files": files}))?;
        return Ok(Exit::Done);
    }
    let mut readers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in &files {
        let others = file.others.as_deref();
        for reader in file.recipients.iter().map(String::as_str).chain(others) {
            readers.entry(reader).or_default().push(&file.path);
        }
    }
    for (reader, files) in &readers {
        output.print(&format!("{reader}\n"))?;
        for file in files {
            output.print(&format!("  {file}\n"))?;
        }
    }
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

/// Every encrypted file of the fleet.
fn files(workspace: &Workspace) -> Result<Vec<File>> {
    let rules = workspace.snapshot.bytes(".sops.yaml");
    let rules = rules.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let mut files = Vec::new();
    for path in encrypted(workspace) {
        let Some(bytes) = workspace.snapshot.bytes(&path) else {
            continue;
        };
        let parsed = SopsFile::parse(&path, &String::from_utf8_lossy(bytes))?;
        let recipients = parsed.recipients();
        let named = match &rules {
            Some(rules) => creation_for(".sops.yaml", rules, &path).ok(),
            None => None,
        };
        let named = named.map(|creation| creation.recipients);
        let differ = |some: &[String], than: &[String]| -> Vec<String> {
            some.iter()
                .filter(|one| !than.contains(one))
                .cloned()
                .collect()
        };
        files.push(File {
            others: parsed.needs_program().map(str::to_owned),
            removed: named
                .as_ref()
                .map(|named| differ(&recipients, named))
                .unwrap_or_default(),
            added: named
                .as_ref()
                .map(|named| differ(named, &recipients))
                .unwrap_or_default(),
            recipients,
            path,
        });
    }
    Ok(files)
}

fn encrypted(workspace: &Workspace) -> Vec<String> {
    let paths = workspace.snapshot.files.keys();
    paths
        .filter(|path| path.ends_with(".sops.yaml") && *path != ".sops.yaml")
        .cloned()
        .collect()
}

/// What a key opens, and what its rotation needs.
fn values(
    key: &str,
    workspace: &Workspace,
    fleet: &Fleet,
    files: &[File],
    output: &Output,
) -> Result {
    let mut rows = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.recipients.iter().any(|one| one == key))
    {
        let bytes = workspace.snapshot.bytes(&file.path);
        let root =
            bytes.and_then(|bytes| grove_yaml::parse(bytes, grove_yaml::Limits::default()).root);
        let Some(root) = root else { continue };
        let mut open: Vec<&grove_yaml::Entry> = root
            .entries()
            .iter()
            .filter(|entry| entry.key != "sops")
            .collect();
        while let Some(entry) = open.pop() {
            if !entry.value.entries().is_empty() {
                open.extend(entry.value.entries());
                continue;
            }
            let reads = fleet.instances.values().find(|instance| {
                let reference = instance.secrets.get(&entry.key);
                reference.is_some_and(|reference| reference.file == file.path)
            });
            let class = match reads {
                Some(instance) => rotation::class(instance, &entry.key),
                None if entry.key == SEALING_KEY => {
                    Class::Plain("`grove seal rotate` makes another one")
                }
                None if entry.key == FINGERPRINT_KEY => Class::Never(
                    "it only tells equal values apart; with another one every pod restarts",
                ),
                None => Class::Plain(
                    "no instance reads it: change it where it is used, then `grove secret set`",
                ),
            };
            rows.push(Value {
                file: file.path.clone(),
                secret: entry.key.clone(),
                class: class.name(),
                meaning: class.meaning(),
            });
        }
    }
    rows.sort_by(|one, other| (&one.file, &one.secret).cmp(&(&other.file, &other.secret)));
    if rows.is_empty()
        && !files
            .iter()
            .any(|file| file.recipients.iter().any(|one| one == key))
    {
        return Err(CommandError::new(Exit::No, format!("`{key}` opens no file of this fleet"))
            .hint("`grove secret who` lists the keys that do; Git's history may hold files that it opened"));
    }
    if is_json(output) {
        output.json(&serde_json::json!({"version": 1, "values": rows}))?;
        return Ok(Exit::Done);
    }
    for row in &rows {
        output.print(&format!(
            "{}: {} is {}: {}\n",
            row.file, row.secret, row.class, row.meaning
        ))?;
    }
    Ok(Exit::Done)
}
