//! The one function that writes to a deploy branch.

use jiff::Timestamp;

use super::{
    Author, Changes, Conflict, DeployBranch, Landed, Message, Turn,
    conflict::{self, States},
    turn::Taken,
    write::write,
};
use crate::{
    Error, Id,
    git::{Pushed, Seen},
};

/// A commit that is to be made.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What it changes.
    pub changes: Changes,
    /// What it says.
    pub message: Message,
    /// Who makes it.
    pub author: Author,
    /// When it is made.
    pub time: Timestamp,
}

/// What became of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The commit that has what was asked for: the one that was pushed, the one that the same request made
    /// before, or the branch's newest one where it was so already. None where there is no branch and
    /// nothing to write.
    pub commit: Option<Id>,
    /// Whether anything was written. Nothing is, where the branch is as it should be already, or where
    /// the request was carried out before. Two processes whose commits are alike to the byte made one
    /// commit, and both of them wrote it.
    pub pushed: bool,
    /// The commit that the same request made before: in another run, or in one that was faster by a moment.
    pub landed: Option<Landed>,
    /// How many pushes lost a race before this one.
    pub retries: u32,
    /// What the remote said, a line each.
    pub messages: Vec<String>,
    /// Why the remote takes no second reference, where that is so: nothing there tells of a branch that is
    /// gone.
    pub unmarked: Option<String>,
}

/// For [`DeployBranch::commit`]: a conflict is an error.
pub fn refuse(_: &DeployBranch, conflict: Conflict) -> Result<Draft, Error> {
    Err(conflict.into())
}

impl DeployBranch {
    /// Puts a commit on the branch and pushes it.
    ///
    /// The push goes through only if the branch is where this program saw it last. If others were
    /// faster, their work is fetched and the changes are put on top of it, where they touched other
    /// instances. Where they touched the same, `recompute` makes a new draft from the new state, or
    /// says that it cannot ([`refuse`]).
    ///
    /// A request that the draft's message names is carried out once: where the branch has a commit of it,
    /// here or on the remote, nothing is written, whatever the draft holds. So a request may be sent again
    /// after an error that leaves open what became of it, and by two processes at once.
    ///
    /// Nothing is written to a branch that is gone ([`Self::gone`]).
    ///
    /// At any moment the remote has either all of the commit or nothing of it.
    pub fn commit<E: From<Error>>(
        &mut self,
        draft: Draft,
        recompute: impl FnMut(&Self, Conflict) -> Result<Draft, E>,
    ) -> Result<Outcome, E> {
        self.commit_in_turn(draft, Turn::default(), recompute)
    }

    /// The same, where it is said how long others are waited for. Those of this machine write one after the
    /// other, each from its fetch to its push; those of others are waited for by chance.
    pub fn commit_in_turn<E: From<Error>>(
        &mut self,
        mut draft: Draft,
        turn: Turn<'_>,
        mut recompute: impl FnMut(&Self, Conflict) -> Result<Draft, E>,
    ) -> Result<Outcome, E> {
        draft.changes.check()?;
        if let Some(landed) = self.landed_before(&draft, 0)? {
            return Ok(landed);
        }
        // What the draft was made from. The branch may be further by now.
        let mut base = self.seen.tip;
        let mut before = self.states(&draft, base)?;
        let mut taken = None;
        loop {
            let retries = taken.as_ref().map_or(0, Taken::lost);
            let Some(ours) = self.write(&draft)? else {
                return Ok(Outcome {
                    commit: self.seen.tip,
                    retries,
                    ..Outcome::default()
                });
            };
            self.refuse_gone()?;
            // Read now: what only this cache has is gone if it must be made anew on the way.
            let after = self.states(&draft, Some(ours))?;
            let is_first_try = taken.is_none();
            let taken = match &mut taken {
                Some(taken) => taken,
                none => none.insert(Taken::take(&self.store, turn)?),
            };
            let failure = if is_first_try && self.store.known() != self.known {
                // Others of this machine were faster. That is known without asking the remote.
                None
            } else {
                match self.store.push(ours, self.seen) {
                    Ok(Pushed::Done {
                        messages,
                        mark,
                        unmarked,
                    }) => {
                        self.is_at(ours, mark);
                        return Ok(Outcome {
                            commit: Some(ours),
                            pushed: true,
                            retries,
                            messages,
                            unmarked,
                            ..Outcome::default()
                        });
                    }
                    Ok(Pushed::Raced) => None,
                    Ok(Pushed::Failed(error)) | Err(error) => Some(error),
                }
            };
            let was_at = self.seen;
            if self.landed_after_all(ours, failure)? {
                return Ok(Outcome {
                    commit: Some(ours),
                    pushed: true,
                    retries,
                    ..Outcome::default()
                });
            }
            if let Some(landed) = self.landed_before(&draft, retries)? {
                return Ok(landed);
            }
            if let Some(theirs) = self.seen.tip
                && self.seen.tip != base
            {
                self.refuse_gone()?;
                let found = self
                    .store
                    .with(|database| conflict::find(database, &before, &after, base, theirs))?;
                if let Some(conflict) = found {
                    draft = recompute(self, conflict)?;
                    draft.changes.check()?;
                    base = self.seen.tip;
                    before = self.states(&draft, base)?;
                }
            }
            if is_first_try && self.seen != was_at {
                // It is this one's turn, on top of what the others left.
                taken.lose();
            } else if !taken.wait(&self.store, self.seen != was_at)? {
                return Err(Error::Contended {
                    branch: self.name().to_owned(),
                    tries: taken.lost(),
                    seconds: taken.waited().as_secs(),
                }
                .into());
            }
        }
    }

    /// Notes what is there after a push.
    fn is_at(&mut self, ours: Id, mark: Option<Id>) {
        self.seen = Seen {
            tip: Some(ours),
            mark,
            is_empty: false,
        };
        self.known = self.store.known();
        self.is_anew = false;
    }

    /// Fetches after a push that did not succeed, and says whether the remote has the commit
    /// nevertheless: a connection may break after the remote took it. An error where it is not worth
    /// another try; `failure` is the push's own, none for a lost race.
    fn landed_after_all(&mut self, ours: Id, failure: Option<Error>) -> Result<bool, Error> {
        let theirs = match (self.store.fetch(), failure) {
            // Nobody was faster, so the push would fail again.
            (Ok(theirs), Some(error)) if theirs.tip == self.seen.tip => return Err(error),
            (Ok(theirs), _) => theirs,
            // The first of two failures explains the second.
            (Err(_), Some(error)) | (Err(error), None) => return Err(error),
        };
        let expected = std::mem::replace(&mut self.seen, theirs);
        self.known = self.store.known();
        match (expected.tip, theirs.tip) {
            (Some(last), None) => Err(Error::BranchGone {
                remote: self.remote().to_string(),
                branch: self.name().to_owned(),
                last,
                back: Box::new(self.way_back(last)),
            }),
            _ => self.has_commit(ours),
        }
    }

    fn states(&self, draft: &Draft, commit: Option<Id>) -> Result<States, Error> {
        self.store
            .with(|database| conflict::states(database, &draft.changes, commit))
    }

    fn write(&self, draft: &Draft) -> Result<Option<Id>, Error> {
        self.store
            .with(|database| write(database, &self.cluster, draft, self.seen.tip))
    }

    /// The outcome of a draft whose request the branch has a commit of.
    fn landed_before(&self, draft: &Draft, retries: u32) -> Result<Option<Outcome>, Error> {
        let Some(request) = &draft.message.request else {
            return Ok(None);
        };
        let landed = self.landed(request)?;
        Ok(landed.map(|landed| Outcome {
            commit: Some(landed.commit),
            landed: Some(landed),
            retries,
            ..Outcome::default()
        }))
    }
}
