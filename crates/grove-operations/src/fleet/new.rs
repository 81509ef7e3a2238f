//! New files of a fleet. Nothing that is there is overwritten, and nothing is written that a check would
//! find wrong right after it.
//!
//! All of it is written to the work tree, so these requests know no revision.

pub mod cluster;
pub mod distribution;
pub mod fleet;
pub mod group;
pub mod instance;

use std::path::{Path, PathBuf};

use grove_check::{Context, Severity};
use grove_fleet::{Snapshot, scaffold::Files, snapshot::File};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::workspace::Workspace;
use crate::{
    Around, Error, Event, Result,
    consent::{Consent, Needs},
    files,
};

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Paths of the files, from the fleet's root.
    pub files: Vec<String>,
}

/// Files that would be written.
pub struct Plan<'a> {
    around: &'a Around,
    needs: Needs,
    root: PathBuf,
    files: Files,
}

impl<'a> Plan<'a> {
    /// Files of a fleet, where they may be written.
    fn of(workspace: &Workspace<'a>, files: Files) -> Result<Self> {
        refuse_existing(&workspace.root, files.keys().map(String::as_str))?;
        refuse_unsound(workspace.around, &workspace.snapshot, &files)?;
        Ok(Self {
            around: workspace.around,
            needs: Needs::default(),
            root: workspace.root.clone(),
            files,
        })
    }

    /// What must be agreed to: nothing.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What would be written: path from the fleet's root → text.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Writes it.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        let _entered = self.around.enter()?;
        self.needs.met_by(consent)?;
        write(self.around, &self.root, &self.files)?;
        Ok(Outcome {
            files: self.files.into_keys().collect(),
        })
    }
}

/// Refuses what cannot be a name: names become names of Kubernetes objects and directories.
pub fn valid(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(plain)
        && !name.ends_with('-')
        && name.len() <= 40
    {
        return Ok(());
    }
    Err(Error::usage(format!("`{name}` cannot be a name"))
        .hint("at most 40 lower-case letters, digits and dashes, beginning with a letter"))
}

/// Refuses to overwrite.
pub fn refuse_existing<'p>(root: &Path, paths: impl IntoIterator<Item = &'p str>) -> Result<()> {
    match paths.into_iter().find(|path| root.join(path).exists()) {
        None => Ok(()),
        Some(path) => Err(Error::refused(format!(
            "`{}` is there already",
            root.join(path).display()
        ))
        .hint("nothing was written; edit the file, or remove it first")),
    }
}

/// What the next steps mend, so no reason to refuse a file.
const LATER: [&str; 5] = [
    "lock-missing",
    "sealing-certificate-missing",
    "secret-missing",
    "unknown-plugin",
    "unresolved-input",
];

/// Refuses to write what a check would find wrong right after it.
pub fn refuse_unsound(around: &Around, fleet: &Snapshot, files: &Files) -> Result<()> {
    let mut after = fleet.clone();
    for (path, text) in files {
        let bytes = File::Bytes(text.as_bytes().into());
        after.files.insert(path.clone(), bytes);
    }
    let mut findings = grove_check::check(&after, &Context::default()).findings;
    findings.retain(|finding| {
        finding.severity == Severity::Error
            && !LATER.contains(&finding.rule)
            && finding
                .locations
                .iter()
                .any(|location| files.contains_key(&location.path))
    });
    if findings.is_empty() {
        return Ok(());
    }
    around.tell(&Event::Findings {
        findings: &findings,
        snapshot: &after,
    });
    Err(
        Error::usage("the new files would not be valid; nothing was written")
            .hint("say it in another way, or mend first what it clashes with"),
    )
}

/// Writes new files.
pub fn write(around: &Around, root: &Path, files: &Files) -> Result<()> {
    refuse_existing(root, files.keys().map(String::as_str))?;
    for (path, text) in files {
        files::write_atomically(&root.join(path), text)?;
        around.note(&format!("wrote {path}"));
    }
    Ok(())
}
