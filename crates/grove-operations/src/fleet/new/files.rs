//! New files of a fleet: written where none is there, and where the check finds nothing wrong with them.

use std::path::{Path, PathBuf};

use grove_fleet::{
    Severity, Snapshot,
    check::{self, Context},
    scaffold::Files,
    snapshot::File,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Around, Error, Event, Result,
    consent::{Consent, Needs},
    files::write_atomically,
    fleet::workspace::Workspace,
};

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Paths from the fleet's root.
    pub files: Vec<String>,
}

/// New files that may be written.
pub struct Plan<'a> {
    around: &'a Around,
    root: PathBuf,
    files: Files,
    needs: Needs,
}

impl<'a> Plan<'a> {
    /// New files of a fleet that is there.
    pub fn new(workspace: &Workspace<'a>, files: Files) -> Result<Self> {
        refuse_existing(&workspace.root, files.keys().map(String::as_str))?;
        refuse_unsound(workspace.around, &workspace.snapshot, &files)?;
        Ok(Self {
            around: workspace.around,
            root: workspace.root.clone(),
            files,
            needs: Needs::default(),
        })
    }

    /// What must be agreed to: nothing.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What would be written.
    pub fn outcome(&self) -> Outcome {
        Outcome {
            files: self.files.keys().cloned().collect(),
        }
    }

    /// Writes the files, one after the other; tells each.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        write(self.around, &self.root, &self.files)?;
        Ok(self.outcome())
    }
}

/// Refuses to overwrite.
pub fn refuse_existing<'a>(root: &Path, paths: impl IntoIterator<Item = &'a str>) -> Result<()> {
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

/// Refuses to write what `grove check` would find wrong right after it.
pub fn refuse_unsound(around: &Around, fleet: &Snapshot, files: &Files) -> Result<()> {
    let mut after = fleet.clone();
    for (path, text) in files {
        let bytes = File::Bytes(text.as_bytes().into());
        after.files.insert(path.clone(), bytes);
    }
    let mut findings = check::check(&after, &Context::default()).findings;
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

/// Writes new files below a directory.
pub fn write(around: &Around, root: &Path, files: &Files) -> Result<()> {
    refuse_existing(root, files.keys().map(String::as_str))?;
    for (path, text) in files {
        write_atomically(&root.join(path), text)?;
        around.note(&format!("wrote {path}"));
    }
    Ok(())
}

/// Names become names of Kubernetes objects and directories.
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
