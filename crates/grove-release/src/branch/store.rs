//! Where a deploy branch's objects are, and how it is fetched and pushed.

use std::{fs::File, path::PathBuf, time::Duration};

use crate::{
    Error, Id,
    git::{Cache, Database, Pushed, Remote, Seen},
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

    /// Brings the branch here, and says what the remote has of it.
    pub(super) fn fetch(&self) -> Result<Seen, Error> {
        match self {
            Self::Cache(cache) => cache.fetch(),
            Self::Memory(branch) => branch.fetch(),
        }
    }

    /// Makes `commit` the remote's branch, and what its second reference names, if both are as they were seen.
    pub(super) fn push(&self, commit: Id, seen: Seen) -> Result<Pushed, Error> {
        match self {
            Self::Cache(cache) => cache.push(commit, seen),
            Self::Memory(branch) => branch.push(commit, seen),
        }
    }

    /// The repository on this machine; none where there is none.
    pub(super) fn path(&self) -> Option<PathBuf> {
        match self {
            Self::Cache(cache) => Some(cache.path().to_owned()),
            Self::Memory(_) => None,
        }
    }

    /// Keeps a commit that the branch lacks.
    pub(super) fn keep(&self, commit: Id) -> Result<(), Error> {
        match self {
            Self::Cache(cache) => cache.keep(commit),
            Self::Memory(_) => Ok(()),
        }
    }

    /// Keeps other writers of this machine waiting until what this gives is dropped. In memory there are none:
    /// a caller decides who goes when.
    pub(super) fn turn(&self, limit: Duration, waits: &dyn Fn()) -> Result<Option<File>, Error> {
        match self {
            Self::Cache(cache) => cache.turn(limit, waits).map(Some),
            Self::Memory(_) => Ok(None),
        }
    }

    /// Waits before the next try, by chance, so that writers of several machines do not meet again each time;
    /// gives how long. Nobody is in the way where nothing but this process is asked: there is no chance, and
    /// it is only counted.
    pub(super) fn wait(&self, longest: Duration) -> Result<Duration, Error> {
        match self {
            Self::Cache(cache) => {
                let time = longest.mul_f64(chance());
                grove_exec::wait(time).map_err(Error::io(cache.path()))?;
                Ok(time)
            }
            Self::Memory(_) => Ok(longest),
        }
    }
}

/// A number from a quarter to one.
fn chance() -> f64 {
    use std::hash::{BuildHasher as _, RandomState};
    // Each has keys of its own, which the system's randomness seeds.
    let number = RandomState::new().hash_one(()) >> 40;
    let fraction = f64::from(u32::try_from(number).unwrap_or_default()) / f64::from(1_u32 << 24);
    0.25 + 0.75 * fraction
}
