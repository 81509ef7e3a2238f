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
    request::RequestId,
    requests::{Answer, Begun, Journal, Once},
};

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Paths of the files, from the fleet's root.
    pub files: Vec<String>,
}

impl Answer for Outcome {}

/// Files that would be written.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    around: &'a Around,
    needs: Needs,
    root: PathBuf,
    files: Files,
    /// What the request was about to write before it was interrupted.
    before: Option<Files>,
}

impl<'a> Plan<'a> {
    /// Files of a fleet, where they may be written.
    fn of(
        around: &'a Around,
        verb: &'static str,
        id: Option<&RequestId>,
        request: &impl Serialize,
        files: impl Fn(&Workspace<'a>) -> Result<Files>,
    ) -> Result<Self> {
        let work = |begun: &Begun| {
            let workspace = Workspace::open(around, None)?;
            let before: Option<Files> = begun.ground();
            let files = match &before {
                Some(files) => files.clone(),
                None => files(&workspace)?,
            };
            let new = lacking(&workspace.root, &files, before.as_ref());
            refuse_existing(&workspace.root, new)?;
            refuse_unsound(around, &workspace.snapshot, &files)?;
            Ok(Work {
                around,
                needs: Needs::default(),
                root: workspace.root.clone(),
                files,
                before,
            })
        };
        Once::plan(around, verb, id, request, work).map(Self)
    }

    /// What must be agreed to: nothing.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// What would be written: path from the fleet's root → text. None where it was written before by this request.
    pub fn files(&self) -> Option<&Files> {
        self.0.open().map(|work| &work.files)
    }

    /// Writes it.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0.carry_out(consent, Work::carry_out)
    }
}

impl Work<'_> {
    fn carry_out(self, consent: &Consent, journal: &Journal<'_>) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        write(
            self.around,
            journal,
            &self.root,
            &self.files,
            self.before.as_ref(),
        )?;
        Ok(Outcome {
            files: self.files.into_keys().collect(),
        })
    }
}

/// The files that are not there yet. Those that the same request wrote before it was interrupted are.
fn lacking<'f>(
    root: &Path,
    files: &'f Files,
    before: Option<&Files>,
) -> impl Iterator<Item = &'f str> {
    let is_written = move |path: &str, text: &str| {
        before.is_some_and(|before| before.get(path).is_some_and(|before| before == text))
            && fs_err::read(root.join(path)).is_ok_and(|found| found == text.as_bytes())
    };
    let files = files.iter();
    files
        .filter(move |(path, text)| !is_written(path, text))
        .map(|(path, _)| path.as_str())
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

/// Writes new files; what the same request wrote `before` it was interrupted, stays.
fn write(
    around: &Around,
    journal: &Journal<'_>,
    root: &Path,
    files: &Files,
    before: Option<&Files>,
) -> Result<()> {
    let new: Vec<&str> = lacking(root, files, before).collect();
    refuse_existing(root, new.iter().copied())?;
    journal.begin(files);
    for path in new {
        files::write_atomically(&root.join(path), &files[path])?;
        around.note(&format!("wrote {path}"));
    }
    Ok(())
}
