//! Where a deploy branch's objects are, and how it is fetched and pushed.

use std::time::Duration;

use crate::{
    Error, Id,
    git::{Cache, Database, Pushed, Remote},
    memory::MemoryBranch,
};

/// One branch of a remote, as this process reaches it.
pub(super) enum Store {
    /// Through a repository on this machine, and the `git` program.
    Cache(Box<Cache>),
    /// In this process.
    Memory(MemoryBranch),
}

impl Store {
    pub(super) fn remote(&self) -> &Remote {
        match self {
            Self::Cache(cache) => cache.remote(),
            Self::Memory(branch) => branch.remote(),
        }
    }

    /// The branch without `refs/heads/`.
    pub(super) fn branch(&self) -> &str {
        match self {
            Self::Cache(cache) => cache.branch(),
            Self::Memory(branch) => branch.name(),
        }
    }

    /// Runs `work` on the objects; more than once where they had to be brought here anew.
    pub(super) fn with<T>(
        &self,
        work: impl Fn(&Database<'_>) -> gix::Result<T>,
    ) -> Result<T, Error> {
        match self {
            Self::Cache(cache) => cache.with(work),
            Self::Memory(branch) => branch.with(work),
        }
    }

    /// The commit that this machine saw last; none where it keeps no memory of it.
    pub(super) fn known(&self) -> Option<Id> {
        match self {
            Self::Cache(cache) => cache.known(),
            Self::Memory(_) => None,
        }
    }

    /// Brings the branch here; gives its commit, none where the remote has no such branch.
    pub(super) fn fetch(&self) -> Result<Option<Id>, Error> {
        match self {
            Self::Cache(cache) => cache.fetch(),
            Self::Memory(branch) => branch.fetch(),
        }
    }

    /// Makes `commit` the remote's branch if that is at `expected` (nothing: if there is none yet).
    pub(super) fn push(&self, commit: Id, expected: Option<Id>) -> Result<Pushed, Error> {
        match self {
            Self::Cache(cache) => cache.push(commit, expected),
            Self::Memory(branch) => branch.push(commit, expected),
        }
    }

    /// Waits before the next try. Nobody is in the way where nothing but this process is asked.
    pub(super) fn wait(&self, time: Duration) {
        match self {
            Self::Cache(_) => std::thread::sleep(time),
            Self::Memory(_) => {}
        }
    }
}
