//! Reading a fleet: from a Git revision without a checkout, or from a work tree.

mod order;
mod revision;
mod select;
mod tree;
mod worktree;

pub use order::{Ancestry, Order};
pub use revision::{Published, Revision};
pub use worktree::worktree;

use std::path::{Path, PathBuf};

use grove_core::Snapshot;

use crate::{Error, Id, git::reason};

/// The Git repository that holds a fleet, and where in it the fleet is.
pub struct Source {
    store: gix::ThreadSafeRepository,
    /// The fleet's directory from the repository's root, with `/`; empty for the root.
    directory: String,
}

impl Source {
    /// Opens the repository that holds the directory `fleet`: its own, or that of a parent.
    pub fn discover(fleet: &Path) -> Result<Self, Error> {
        let not_there = || Error::NotARepository(fleet.to_owned());
        let fleet = fs_err::canonicalize(fleet).map_err(Error::io(fleet))?;
        let (found, _) = gix::discover::upwards(&fleet).map_err(|_| not_there())?;
        let (git_directory, work_tree) = found.into_repository_and_work_tree_directories();
        let directory = match work_tree {
            Some(root) => {
                let root = fs_err::canonicalize(&root).map_err(Error::io(root))?;
                let below = fleet.strip_prefix(&root).map_err(|_| not_there())?;
                slashed(below).ok_or_else(not_there)?
            }
            None => String::new(),
        };
        Self::open(&git_directory, &directory)
    }

    /// Opens the repository at `repository` (bare or not) whose fleet is at `directory` (with `/`,
    /// from the repository's root; empty for the root).
    pub fn open(repository: &Path, directory: &str) -> Result<Self, Error> {
        let directory = directory.trim_matches('/');
        if !directory.is_empty() && !directory.split('/').all(tree::is_plain) {
            return Err(Error::HostileName(directory.to_owned()));
        }
        // Only the repository's own configuration: objects are read, no program is run.
        let store = gix::open::Options::isolated()
            .open(repository)
            .map_err(|error| Error::Repository {
                path: repository.to_owned(),
                message: reason(&error),
            })?;
        Ok(Self {
            store,
            directory: directory.to_owned(),
        })
    }

    /// The fleet's directory from the repository's root; empty for the root.
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// The repository's work tree; none for a bare one.
    pub fn work_tree(&self) -> Option<PathBuf> {
        self.repository().workdir().map(Path::to_owned)
    }

    /// The commit that a revision names (`main`, `v1`, `HEAD~2`, an id).
    pub fn resolve(&self, revision: &str) -> Result<Id, Error> {
        let unknown = || Error::UnknownRevision(revision.chars().take(200).collect());
        let repo = self.repository();
        let commit = repo
            .rev_parse_single(revision)
            .and_then(|id| id.object())
            .and_then(gix::Object::peel_to_commit)
            .map_err(|_| unknown())?;
        Ok(commit.id.into())
    }

    /// The fleet's files at a commit.
    pub fn snapshot(&self, commit: Id) -> Result<Snapshot, Error> {
        tree::snapshot(&self.repository(), commit, &self.directory)
    }

    fn repository(&self) -> gix::Repository {
        self.store.to_thread_local()
    }

    /// An error of reading this repository.
    fn broken(&self, error: &gix::Error) -> Error {
        Error::Repository {
            path: self.repository().git_dir().to_owned(),
            message: reason(error),
        }
    }
}

/// Whether `path` itself is a repository that can be opened.
pub(crate) fn is_repository(path: &Path) -> bool {
    gix::open::Options::isolated().open(path).is_ok()
}

/// A relative path with `/`; nothing where it is not UTF-8.
fn slashed(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path
        .components()
        .map(|component| component.as_os_str().to_str())
        .collect();
    Some(parts?.join("/"))
}
