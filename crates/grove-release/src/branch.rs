//! A cluster's deploy branch: reading its releases, and the one function that writes to it.

mod changes;
mod commit;
mod conflict;
mod view;

pub use changes::{Changes, Release, SharedRelease};
pub use commit::{Author, Draft, Message, Outcome, refuse};
pub use conflict::Conflict;
pub use view::View;

use std::path::Path;

use crate::{
    Error, Id,
    git::{Cache, Git, Remote},
    layout,
};

/// The branch `deploy/<cluster>` of a deploy remote, as it was when it was opened or last written.
pub struct DeployBranch {
    cache: Cache,
    cluster: String,
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
        let before = cache.known();
        let tip = cache.fetch()?;
        let mut branch = Self {
            cache,
            cluster: cluster.to_owned(),
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
            cache,
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
        self.cache.remote()
    }

    /// The branch without `refs/heads/`, as `deploy/prod`.
    pub fn name(&self) -> &str {
        self.cache.branch()
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

    /// Whether the branch is at `commit` or has it in its history.
    pub fn has_commit(&self, commit: Id) -> Result<bool, Error> {
        let Some(tip) = self.tip else {
            return Ok(false);
        };
        self.cache.with(|repo| {
            if tip == commit {
                return Ok(true);
            }
            if !repo.has_object(commit.object()) {
                return Ok(false);
            }
            let base = repo.merge_base(commit.object(), tip.object())?;
            Ok(base.is_some_and(|base| Id::from(base.detach()) == commit))
        })
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
