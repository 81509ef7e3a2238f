//! A cluster's deploy branch: reading its releases, and the one function that writes to it.

mod author;
mod changes;
mod commit;
mod conflict;
mod landed;
mod message;
mod store;
mod view;
mod write;

pub use author::Author;
pub use changes::{Changes, Release, SharedRelease};
pub use commit::{Draft, Outcome, refuse};
pub use conflict::Conflict;
pub use landed::Landed;
pub use message::Message;
pub use view::View;

pub(crate) use write::write;

use std::path::Path;

use crate::{
    Error, Id,
    git::{Cache, Git, Remote},
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
    tip: Option<Id>,
    rewritten: Option<Id>,
}

impl DeployBranch {
    /// Fetches the branch of `cluster` from `remote` into a repository below the directory `caches`.
    ///
    /// A remote without the branch is fine: the first commit makes it.
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
        let cache = Cache::open(git, remote, &layout::branch_name(cluster), caches)?;
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
        let tip = store.fetch()?;
        let mut branch = Self {
            store,
            cluster: cluster.to_owned(),
            requests: Requests::default(),
            tip,
            rewritten: None,
        };
        branch.check_format()?;
        if let Some(before) = before
            && !branch.has_commit(before)?
        {
            branch.rewritten = Some(before);
        }
        Ok(branch)
    }

    /// The branch of `cluster` of a remote that is not there yet ([`is_missing`](crate::is_missing)):
    /// nothing is on it. The remote must be there before the first commit.
    pub fn begin(git: &Git, remote: &Remote, cluster: &str, caches: &Path) -> Result<Self, Error> {
        let cache = Cache::open(git, remote, &layout::branch_name(cluster), caches)?;
        Ok(Self {
            rewritten: cache.known(),
            store: Store::Cache(Box::new(cache)),
            requests: Requests::default(),
            cluster: cluster.to_owned(),
            tip: None,
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
        self.tip
    }

    /// Where the branch was when this machine last saw it, if its present history lacks that commit:
    /// someone deleted it, forced it elsewhere, or made the repository anew. Worth a warning.
    pub fn rewritten(&self) -> Option<Id> {
        self.rewritten
    }

    /// The branch's content now.
    pub fn view(&self) -> Result<View<'_>, Error> {
        View::new(self, self.tip)
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
        let Some(tip) = self.tip else {
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
