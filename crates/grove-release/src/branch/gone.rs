//! Branches that are not what they were.

use std::path::PathBuf;

use super::DeployBranch;
use crate::{Error, Id};

/// Why nothing is written to a branch, or only where that was agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// There is no such branch, in a repository that is there: nothing was released yet, or someone deleted
    /// it.
    Missing {
        /// Where it was: as its second reference says, or as this machine saw it last. None where neither
        /// knows of it.
        last: Option<Id>,
    },
    /// The branch lacks the commit that its second reference names: someone forced it elsewhere.
    Replaced {
        /// Its newest commit.
        tip: Id,
        /// The commit that its second reference names.
        last: Id,
    },
}

impl DeployBranch {
    /// Whether the branch is missing, or another history took its place. None where it is as it was left, and
    /// where the repository is empty and was never seen otherwise.
    pub fn gone(&self) -> Result<Option<Gone>, Error> {
        let mark = self.seen.mark;
        Ok(match self.seen.tip {
            None => {
                let last = mark.or(self.rewritten);
                let is_first = self.seen.is_empty && last.is_none();
                (!is_first).then_some(Gone::Missing { last })
            }
            Some(tip) => match mark {
                Some(last) if !self.has_commit(last)? => Some(Gone::Replaced { tip, last }),
                _ => None,
            },
        })
    }

    /// Lets the next commit be the first one of a branch that is missing in a repository that is there: for
    /// whoever was asked and agreed.
    pub fn begin_anew(&mut self) {
        self.is_anew = true;
    }

    /// A branch that is gone as an error, which says how it comes back.
    pub fn error_of(&self, gone: Gone) -> Error {
        let (remote, branch) = (self.remote().to_string(), self.name().to_owned());
        match gone {
            Gone::Missing { last: Some(last) } => Error::BranchGone {
                back: Box::new(self.way_back(last)),
                remote,
                branch,
                last,
            },
            Gone::Missing { last: None } => Error::BranchMissing { remote, branch },
            Gone::Replaced { tip, last } => Error::BranchReplaced {
                back: Box::new(self.way_back(last)),
                remote,
                branch,
                tip,
                last,
            },
        }
    }

    /// Where a commit that the branch lacks can be brought back from.
    pub(super) fn way_back(&self, last: Id) -> WayBack {
        WayBack {
            reference: (self.seen.mark == Some(last))
                .then(|| format!("refs/grove/{}", self.cluster)),
            cache: self.store.path(),
        }
    }

    /// Refuses to write to a branch that is gone, unless its next commit may be a first one.
    pub(super) fn refuse_gone(&self) -> Result<(), Error> {
        match self.gone()? {
            None => Ok(()),
            Some(Gone::Missing { .. }) if self.is_anew => Ok(()),
            Some(gone) => Err(self.error_of(gone)),
        }
    }
}

/// Where a commit can be brought back from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WayBack {
    /// The reference of the remote that names it; none where none does.
    pub reference: Option<String>,
    /// A repository on this machine that has it; none where none does.
    pub cache: Option<PathBuf>,
}

impl WayBack {
    /// The command that does it.
    pub(crate) fn command(&self, remote: &str, branch: &str, last: Id) -> String {
        match (&self.cache, &self.reference) {
            (Some(cache), _) => format!(
                "git -C {} push --force {remote} {last}:refs/heads/{branch}",
                cache.display()
            ),
            (None, Some(reference)) => format!(
                "git fetch {remote} {reference} && git push --force {remote} FETCH_HEAD:refs/heads/{branch}"
            ),
            (None, None) => format!("git push --force {remote} {last}:refs/heads/{branch}"),
        }
    }
}
