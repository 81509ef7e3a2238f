//! A cluster's deploy branch: reading its releases, and the one function that writes to it.

mod author;
mod changes;
mod commit;
mod conflict;
mod gone;
mod landed;
mod message;
mod store;
mod turn;
mod view;
mod write;

pub use author::Author;
pub use changes::{Changes, Release, SharedRelease};
pub use commit::{Draft, Outcome, refuse};
pub use conflict::Conflict;
pub use gone::{Gone, WayBack};
pub use landed::Landed;
pub use message::Message;
pub use turn::Turn;
pub use view::View;

pub(crate) use write::write;

use std::path::Path;

use crate::{
    Error, Id,
    git::{Cache, Git, Remote, Seen},
    layout,
    memory::{MemoryBranch, MemoryRemote},
};
use landed::Requests;
use store::Store;

/// The branch `deploy/<cluster>` of a deploy remote, as it was when it was opened or last written.
pub struct DeployBranch {
    store: Store,
    cluster: String,
    requests: Requests,
    seen: Seen,
    /// What this machine knew of the branch just after that.
    known: Option<Id>,
    rewritten: Option<Id>,
    /// Whether the branch may begin where one is missing: see [`Self::begin_anew`].
    is_anew: bool,
}

impl DeployBranch {
    /// Fetches the branch of `cluster` from `remote` into a repository below the directory `caches`.
    ///
    /// A remote without the branch is fine: the first commit makes it. Where the remote has other branches, or
    /// the branch was there before, that must be agreed to: see [`Self::gone`].
    pub fn open(git: &Git, remote: &Remote, cluster: &str, caches: &Path) -> Result<Self, Error> {
        // What `git` says of a missing directory depends on the protocol; ask first.
        if let Some(path) = remote.path()
            && matches!(path.try_exists(), Ok(false))
        {
            return Err(Error::RemoteMissing {
                remote: remote.to_string(),
                message: "there is no such directory".to_owned(),
            });
        }
        let cache = Cache::open(git, remote, cluster, caches)?;
        Self::opened(Store::Cache(Box::new(cache)), cluster)
    }

    /// Opens the branch of `cluster` of a remote that lives in this process.
    ///
    /// Nothing is kept of one opening for the next, so [`Self::rewritten`] knows of no commit.
    pub fn open_in_memory(remote: &MemoryRemote, cluster: &str) -> Result<Self, Error> {
        Self::opened_in_memory(remote.branch(cluster))
    }

    pub(crate) fn opened_in_memory(branch: MemoryBranch) -> Result<Self, Error> {
        let cluster = branch.cluster().to_owned();
        Self::opened(Store::Memory(branch), &cluster)
    }

    fn opened(store: Store, cluster: &str) -> Result<Self, Error> {
        let before = store.known();
        let seen = store.fetch()?;
        let mut branch = Self {
            known: store.known(),
            store,
            cluster: cluster.to_owned(),
            requests: Requests::default(),
            seen,
            rewritten: None,
            is_anew: false,
        };
        branch.check_format()?;
        if let Some(before) = before
            && !branch.has_commit(before)?
        {
            branch.store.keep(before)?;
            branch.rewritten = Some(before);
        }
        Ok(branch)
    }

    /// The branch of `cluster` of a remote that is not there yet ([`is_missing`](crate::is_missing)):
    /// nothing is on it. The remote must be there before the first commit.
    pub fn begin(git: &Git, remote: &Remote, cluster: &str, caches: &Path) -> Result<Self, Error> {
        let cache = Cache::open(git, remote, cluster, caches)?;
        Ok(Self {
            rewritten: cache.known(),
            known: cache.known(),
            store: Store::Cache(Box::new(cache)),
            requests: Requests::default(),
            cluster: cluster.to_owned(),
            seen: Seen {
                is_empty: true,
                ..Seen::default()
            },
            is_anew: false,
        })
    }

    /// The cluster's name.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Where the branch lives.
    pub fn remote(&self) -> &Remote {
        self.store.remote()
    }

    /// The branch without `refs/heads/`, as `deploy/prod`.
    pub fn name(&self) -> &str {
        self.store.branch()
    }

    /// Its newest commit; none where there is no branch yet.
    pub fn tip(&self) -> Option<Id> {
        self.seen.tip
    }

    /// Where the branch was when this machine last saw it, if its present history lacks that commit:
    /// someone deleted it, forced it elsewhere, or made the repository anew. Worth a warning.
    pub fn rewritten(&self) -> Option<Id> {
        self.rewritten
    }

    /// The branch's content now.
    pub fn view(&self) -> Result<View<'_>, Error> {
        View::new(self, self.seen.tip)
    }

    /// The branch's content at one of its commits.
    pub fn view_at(&self, commit: Id) -> Result<View<'_>, Error> {
        View::new(self, Some(commit))
    }

    /// The branch's content before one of its commits.
    pub fn view_before(&self, landed: &Landed) -> Result<View<'_>, Error> {
        View::new(self, landed.parent)
    }

    /// What there is before a branch's first commit.
    pub(crate) fn view_of_nothing(&self) -> Result<View<'_>, Error> {
        View::new(self, None)
    }

    /// Whether the branch is at `commit` or has it in its history.
    pub fn has_commit(&self, commit: Id) -> Result<bool, Error> {
        let Some(tip) = self.seen.tip else {
            return Ok(false);
        };
        self.store
            .with(|database| database.is_ancestor(commit, tip))
    }

    /// Refuses a branch whose format this program does not know.
    fn check_format(&self) -> Result<(), Error> {
        let Some(bytes) = self.view()?.file(layout::FORMAT_FILE)? else {
            return Ok(());
        };
        let found: u64 = std::str::from_utf8(&bytes)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .ok_or_else(|| Error::Invalid {
                path: layout::FORMAT_FILE.to_owned(),
                message: "it is not a number".to_owned(),
            })?;
        if found > u64::from(layout::FORMAT) {
            return Err(Error::Newer {
                what: format!("the branch {}", self.name()),
                found,
                known: layout::FORMAT,
            });
        }
        Ok(())
    }
}
