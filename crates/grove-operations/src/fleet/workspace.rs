//! The fleet that a command works on.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use grove_check::{Checked, Context, Finding, Released, Severity};
use grove_fleet::{Fleet, Snapshot};
use grove_release::{Id, Source};

use super::history::History;
use crate::{Around, Error, Event, Kind, Result, text::count};

/// A fleet's files at one moment, and where they came from.
pub struct Workspace<'a> {
    /// What is around it.
    pub around: &'a Around,
    /// The directory that was named; of a bare repository, that repository.
    pub root: PathBuf,
    /// The files.
    pub snapshot: Snapshot,
    /// The repository that holds them, where there is one.
    pub source: Option<Arc<dyn History>>,
    /// The commit that the files were read from; none for a work tree.
    pub commit: Option<Id>,
}

impl<'a> Workspace<'a> {
    /// Reads the fleet at a revision, or the files of its work tree.
    pub fn open(around: &'a Around, revision: Option<&str>) -> Result<Self> {
        let root = around.fleet()?.to_owned();
        if let Some(files) = &around.instead.files {
            let source = files.history();
            return match (&source, revision) {
                (Some(source), Some(revision)) => {
                    Self::of(around, root, Arc::clone(source), revision)
                }
                _ => Ok(Self {
                    around,
                    root,
                    snapshot: files.work_tree()?,
                    source,
                    commit: None,
                }),
            };
        }
        match revision {
            Some(revision) => Self::at(around, root, revision),
            None => Self::work_tree(around, root),
        }
    }

    fn work_tree(around: &'a Around, root: PathBuf) -> Result<Self> {
        if !root.join("grove.yaml").exists() {
            return Err(Error::usage(format!("`{}` has no `grove.yaml`", root.display()))
                .hint("name a fleet's directory, a bare repository with `--rev REV`, or make a fleet with `grove init`"));
        }
        let snapshot = grove_release::worktree(&root)?;
        let source = match Source::discover(&root) {
            Ok(source) => Some(Arc::new(source) as Arc<dyn History>),
            Err(grove_release::Error::NotARepository(_)) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            around,
            root,
            snapshot,
            source,
            commit: None,
        })
    }

    fn at(around: &'a Around, root: PathBuf, revision: &str) -> Result<Self> {
        let source = Arc::new(Source::discover(&root)?);
        Self::of(around, root, source, revision)
    }

    fn of(
        around: &'a Around,
        root: PathBuf,
        source: Arc<dyn History>,
        revision: &str,
    ) -> Result<Self> {
        let commit = source.resolve(revision)?;
        let snapshot = source.snapshot(commit)?;
        Ok(Self {
            around,
            root,
            snapshot,
            source: Some(source),
            commit: Some(commit),
        })
    }

    /// The same fleet at another commit.
    pub fn as_of(&self, commit: Id) -> Result<Self> {
        let revision = commit.to_string();
        let root = self.root.clone();
        let opened = match &self.source {
            Some(source) => Self::of(self.around, root, Arc::clone(source), &revision),
            None => Self::at(self.around, root, &revision),
        };
        opened.map_err(|error| error.hint("fetch the fleet's upstream: the commit is not here"))
    }

    /// Checks the fleet.
    pub fn check(&self) -> Checked {
        self.check_against(None)
    }

    /// Checks the fleet, and against what was released where that is known.
    pub fn check_against(&self, released: Option<Released>) -> Checked {
        let context = Context {
            now: Some(self.around.now()),
            released,
        };
        match &self.around.instead.checker {
            Some(checker) => checker.check(&self.snapshot, &context),
            None => grove_check::check(&self.snapshot, &context),
        }
    }

    /// The fleet, where it has no finding of severity error; else the findings are shown, and the
    /// command ends.
    pub fn sound(&self) -> Result<Fleet> {
        self.sound_of(self.check())
    }

    /// Like [`Self::sound`], for a check that was made.
    pub fn sound_of(&self, checked: Checked) -> Result<Fleet> {
        let errors: Vec<Finding> = checked
            .findings
            .into_iter()
            .filter(|finding| finding.severity == Severity::Error)
            .collect();
        if errors.is_empty() {
            return Ok(checked.fleet);
        }
        self.show(&errors);
        Err(Error::new(
            Kind::No,
            format!("the fleet has {}", count(errors.len(), "error")),
        )
        .hint("`grove check` shows all findings; `grove rule ID` explains one"))
    }

    /// Tells findings that must be seen.
    pub fn show(&self, findings: &[Finding]) {
        self.around.tell(&Event::Findings {
            findings,
            snapshot: &self.snapshot,
        });
    }

    /// The repository, for an operation that needs one.
    pub fn repository(&self) -> Result<&dyn History> {
        self.source
            .as_deref()
            .ok_or_else(|| grove_release::Error::NotARepository(self.root.clone()).into())
    }
}

/// Where relative paths of `grove.yaml` begin.
pub(crate) fn base(root: &Path) -> Result<PathBuf> {
    Ok(fs_err::canonicalize(root)?)
}
