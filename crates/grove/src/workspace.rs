//! The fleet that a command works on.

use std::path::{Path, PathBuf};

use grove_fleet::{
    Finding, Fleet, Severity, Snapshot,
    check::{self, Checked, Context, Released},
};
use grove_release::{Git, Id, Source};

use crate::{
    cli::Global,
    error::{CommandError, Exit, Result, from_error},
    output::{Format, Output, count},
    surroundings,
};

from_error!(grove_release::Error, |error| match error {
    grove_release::Error::UnknownRevision(_)
    | grove_release::Error::NotARepository(_)
    | grove_release::Error::NoRelease { .. } => Exit::Usage,
    grove_release::Error::Conflict(_)
    | grove_release::Error::CacheBusy { .. }
    | grove_release::Error::Contended { .. }
    | grove_release::Error::Newer { .. } => Exit::Refused,
    _ => Exit::Tool,
});

/// A fleet's files at one moment, and where they came from.
pub(crate) struct Workspace {
    /// The directory that was named; of a bare repository, that repository.
    pub(crate) root: PathBuf,
    /// The files.
    pub(crate) snapshot: Snapshot,
    /// The repository that holds them, where there is one.
    pub(crate) source: Option<Source>,
    /// The commit that the files were read from; none for a work tree.
    pub(crate) commit: Option<Id>,
}

impl Workspace {
    /// Reads the fleet that the global options name.
    pub(crate) fn open(global: &Global) -> Result<Self> {
        let root = surroundings::fleet_directory(global.fleet.as_deref())?;
        match &global.rev {
            Some(revision) => Self::at(root, revision),
            None => Self::work_tree(root),
        }
    }

    fn work_tree(root: PathBuf) -> Result<Self> {
        if !root.join("grove.yaml").exists() {
            return Err(CommandError::usage(format!("`{}` has no `grove.yaml`", root.display()))
                .hint("name a fleet's directory, a bare repository with `--rev REV`, or make a fleet with `grove init`"));
        }
        let snapshot = grove_release::worktree(&root)?;
        let source = match Source::discover(&root) {
            Ok(source) => Some(source),
            Err(grove_release::Error::NotARepository(_)) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            root,
            snapshot,
            source,
            commit: None,
        })
    }

    fn at(root: PathBuf, revision: &str) -> Result<Self> {
        let source = Source::discover(&root)?;
        let commit = source.resolve(revision)?;
        let snapshot = source.snapshot(commit)?;
        Ok(Self {
            root,
            snapshot,
            source: Some(source),
            commit: Some(commit),
        })
    }

    /// The same fleet at another commit.
    pub(crate) fn as_of(&self, commit: Id) -> Result<Self> {
        let revision = commit.to_string();
        Self::at(self.root.clone(), &revision)
            .map_err(|error| error.hint("fetch the fleet's upstream: the commit is not here"))
    }

    /// Checks the fleet.
    pub(crate) fn check(&self) -> Result<Checked> {
        self.check_against(None)
    }

    /// Checks the fleet, and against what was released where that is known.
    pub(crate) fn check_against(&self, released: Option<Released>) -> Result<Checked> {
        let context = Context {
            now: Some(surroundings::now()?),
            released,
        };
        Ok(check::check(&self.snapshot, &context))
    }

    /// The fleet, where it has no finding of severity error; else the findings are shown, and the
    /// command ends.
    pub(crate) fn sound(&self, output: &Output) -> Result<Fleet> {
        self.sound_of(self.check()?, output)
    }

    /// Like [`Self::sound`], for a check that was made.
    pub(crate) fn sound_of(&self, checked: Checked, output: &Output) -> Result<Fleet> {
        let errors: Vec<Finding> = checked
            .findings
            .into_iter()
            .filter(|finding| finding.severity == Severity::Error)
            .collect();
        if errors.is_empty() {
            return Ok(checked.fleet);
        }
        output.must_see(&check::text(
            &errors,
            &self.snapshot,
            output.colour_on_stderr(),
        ));
        Err(CommandError::new(
            Exit::No,
            format!("the fleet has {}", count(errors.len(), "error")),
        )
        .hint("`grove check` shows all findings; `grove rule ID` explains one"))
    }

    /// The repository, for a command that needs one.
    pub(crate) fn repository(&self) -> Result<&Source> {
        self.source
            .as_ref()
            .ok_or_else(|| grove_release::Error::NotARepository(self.root.clone()).into())
    }
}

/// The `git` program, as every command calls it.
pub(crate) fn git() -> Git {
    Git::default()
}

/// Where relative paths of `grove.yaml` begin.
pub(crate) fn base(root: &Path) -> Result<PathBuf> {
    Ok(fs_err::canonicalize(root)?)
}

/// Whether results are JSON.
pub(crate) fn is_json(output: &Output) -> bool {
    output.format == Format::Json
}
