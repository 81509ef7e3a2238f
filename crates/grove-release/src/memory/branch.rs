//! One branch of a remote in memory.

use super::{Fault, LatePush, MemoryRemote};
use crate::{
    Error, Id,
    branch::write,
    git::{Database, Pushed, Remote, Seen, reason},
    layout,
};

/// One branch of a remote in memory, as one writer reaches it.
pub(crate) struct MemoryBranch {
    remote: MemoryRemote,
    cluster: String,
    /// As `deploy/prod`.
    name: String,
    /// Whether no fault happens to it.
    is_exempt: bool,
}

impl MemoryBranch {
    pub(super) fn new(remote: MemoryRemote, cluster: &str, is_exempt: bool) -> Self {
        Self {
            remote,
            cluster: cluster.to_owned(),
            name: layout::branch_name(cluster),
            is_exempt,
        }
    }

    pub(crate) fn remote(&self) -> &Remote {
        &self.remote.0.address
    }

    pub(crate) fn cluster(&self) -> &str {
        &self.cluster
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn with<T>(
        &self,
        work: impl Fn(&Database<'_>) -> gix::Result<T>,
    ) -> Result<T, Error> {
        work(&Database::new(&self.remote.0.objects)).map_err(|error| Error::Repository {
            path: self.remote().as_str().into(),
            message: reason(&error),
        })
    }

    pub(crate) fn fetch(&self) -> Result<Seen, Error> {
        let mut state = self.remote.state();
        match state.fault(|fault| !self.is_exempt && fault.is_of_fetches()) {
            Some(_) => Err(self.unreachable("the fetch was lost")),
            None => Ok(state.seen(&self.name)),
        }
    }

    pub(crate) fn push(&self, commit: Id, seen: Seen) -> Result<Pushed, Error> {
        let mut state = self.remote.state();
        state.arrive(|push| push.overtakes);
        let fault = state.fault(|fault| !self.is_exempt && !fault.is_of_fetches());
        if let Some(Fault::Overtaken { base, draft }) = &fault {
            let theirs = self.with(|database| write(database, &self.cluster, draft, *base))?;
            if let Some(theirs) = theirs {
                let seen = Seen {
                    tip: *base,
                    ..state.seen(&self.name)
                };
                state.swap(&self.name, theirs, seen);
            }
        }
        let mut late = None;
        let pushed = match fault {
            Some(Fault::PushLost) => Pushed::Failed(self.unreachable("the push was lost")),
            Some(Fault::Late { overtakes }) => {
                late = Some(LatePush {
                    branch: self.name.clone(),
                    commit,
                    seen,
                    overtakes,
                });
                Pushed::Failed(self.unreachable("the push took too long"))
            }
            Some(Fault::TurnedAway) => Pushed::Raced,
            fault => {
                let is_done = state.swap(&self.name, commit, seen);
                match fault {
                    Some(Fault::AnswerLost) => {
                        Pushed::Failed(self.unreachable("the answer was lost"))
                    }
                    _ if is_done => Pushed::Done {
                        messages: Vec::new(),
                        mark: Some(commit),
                        unmarked: None,
                    },
                    _ => Pushed::Raced,
                }
            }
        };
        state.arrive(|_| true);
        state.late.extend(late);
        Ok(pushed)
    }

    fn unreachable(&self, message: &str) -> Error {
        Error::RemoteUnreachable {
            remote: self.remote().to_string(),
            message: message.to_owned(),
        }
    }
}

impl Fault {
    /// Whether it is one of fetches; else of pushes.
    fn is_of_fetches(&self) -> bool {
        matches!(self, Self::FetchFails)
    }
}
