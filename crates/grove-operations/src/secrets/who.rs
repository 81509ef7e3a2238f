//! Who can read which secrets, and what to rotate when somebody no longer may.
//!
//! The recipients of an encrypted file can be read without a key. Whoever was taken out of `.sops.yaml` and
//! still stands in a file can read it.
//!
//! ```no_run
//! # use grove_operations::{Around, Result, secrets::who};
//! # fn example(around: &Around) -> Result<()> {
//! let files = who::read(around, &who::Request::default())?.files;
//! let stale = files.iter().filter(|file| !file.removed.is_empty());
//! assert_eq!(stale.count(), 0);
//! # Ok(())
//! # }
//! ```

use grove_fleet::{
    Fleet,
    rotation::{self, Class},
};
use grove_seal::source::{SopsFile, creation_for};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::{FINGERPRINT_KEY, SEALING_KEY};
use crate::{Around, Error, Kind, Result, fleet::workspace::Workspace};

/// Asks who can read what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
}

/// Who can read what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Every encrypted file of the fleet.
    pub files: Vec<File>,
}

/// One encrypted file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct File {
    /// Its path, from the fleet's root.
    pub path: String,
    /// The age recipients that can read it, `age1…`.
    pub recipients: Vec<String>,
    /// Recipients of other kinds than age, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<String>,
    /// Those that `.sops.yaml` no longer names.
    pub removed: Vec<String>,
    /// Those that `.sops.yaml` names and that cannot read it yet.
    pub added: Vec<String>,
}

/// The values that a key opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// By file and name.
    pub values: Vec<Value>,
}

/// One value that a key opens, and that is to be rotated when its owner may no longer read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Value {
    /// Its file, from the fleet's root.
    pub file: String,
    /// Its name.
    pub secret: String,
    /// What its rotation needs, in a word: `job`, `two-step`, `disruptive`, `plain`, `never` or `unknown`.
    pub class: String,
    /// The same in a sentence.
    pub meaning: String,
}

/// Lists who can read which file.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    Ok(Outcome {
        files: files(&workspace)?,
    })
}

/// Lists every value that a key opens, and what its rotation needs. `recipient` is its public half.
pub fn opened_by(around: &Around, request: &Request, recipient: &str) -> Result<Opened> {
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let mut files = files(&workspace)?;
    files.retain(|file| file.recipients.iter().any(|one| one == recipient));
    if files.is_empty() {
        return Err(Error::new(
            Kind::No,
            format!("`{recipient}` opens no file of this fleet"),
        )
        .hint("`grove secret who` lists the keys that do; Git's history may hold files that it opened"));
    }
    let mut values = Vec::new();
    for file in &files {
        values.extend(in_file(&workspace, &fleet, &file.path));
    }
    values.sort_by(|one, other| (&one.file, &one.secret).cmp(&(&other.file, &other.secret)));
    Ok(Opened { values })
}

/// Every encrypted file of the fleet.
fn files(workspace: &Workspace<'_>) -> Result<Vec<File>> {
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

fn encrypted(workspace: &Workspace<'_>) -> Vec<String> {
    let paths = workspace.snapshot.files.keys();
    paths
        .filter(|path| path.ends_with(".sops.yaml") && *path != ".sops.yaml")
        .cloned()
        .collect()
}

/// The values of a file, and what the rotation of each needs.
fn in_file(workspace: &Workspace<'_>, fleet: &Fleet, path: &str) -> Vec<Value> {
    let bytes = workspace.snapshot.bytes(path);
    let root = bytes.and_then(|bytes| grove_yaml::parse(bytes, grove_yaml::Limits::default()).root);
    let Some(root) = root else { return Vec::new() };
    let mut open: Vec<&grove_yaml::Entry> = root
        .entries()
        .iter()
        .filter(|entry| entry.key != "sops")
        .collect();
    let mut values = Vec::new();
    while let Some(entry) = open.pop() {
        if !entry.value.entries().is_empty() {
            open.extend(entry.value.entries());
            continue;
        }
        let reads = fleet.instances.values().find(|instance| {
            let reference = instance.secrets.get(&entry.key);
            reference.is_some_and(|reference| reference.file == path)
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
        values.push(Value {
            file: path.to_owned(),
            secret: entry.key.clone(),
            class: class.name().to_owned(),
            meaning: class.meaning().to_owned(),
        });
    }
    values
}
