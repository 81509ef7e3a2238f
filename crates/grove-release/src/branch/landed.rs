//! Commits of a deploy branch, and which of them a request made.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use gix::objs::{FindExt as _, commit::ref_iter::Token};
use jiff::Timestamp;

use super::{Author, DeployBranch, Message};
use crate::{Error, Id, RequestId, git::Database};

/// How many of the newest commits are searched for a request.
const SEARCH: usize = 10_000;
/// What stands before a request in a commit.
const TRAILER: &[u8] = b"\nGrove-Request:";

/// A commit that a deploy branch has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landed {
    /// Its id.
    pub commit: Id,
    /// The commit before it; none for a branch's first one.
    pub parent: Option<Id>,
    /// When it was made, in whole seconds.
    pub time: Timestamp,
    /// Who made it.
    pub author: Author,
    /// What it says: which request it carried out, from which source, and which releases it brought.
    pub message: Message,
}

/// The requests that commits of a branch carried out, as far as they were searched.
#[derive(Default)]
pub(super) struct Requests(Mutex<Searched>);

#[derive(Default)]
struct Searched {
    /// The newest commit that was searched.
    tip: Option<Id>,
    found: HashMap<RequestId, Id>,
}

impl DeployBranch {
    /// The commit that carried out a request, if the branch has one among its newest 10,000 commits (along
    /// first parents).
    ///
    /// Seen from the commit at which the branch was opened or last written: a later one is found by
    /// [`Self::commit`], whose push it keeps from landing.
    pub fn landed(&self, request: &RequestId) -> Result<Option<Landed>, Error> {
        let Some(tip) = self.tip else {
            return Ok(None);
        };
        let commit = {
            let mut searched = self.requests.lock();
            if searched.tip != Some(tip) {
                self.search(&mut searched, tip)?;
            }
            searched.found.get(request).copied()
        };
        commit
            .map(|commit| self.store.with(|database| read(database, commit)))
            .transpose()
    }

    /// The newest commits of the branch (along first parents), the newest first, at most `limit`.
    pub fn commits(&self, limit: usize) -> Result<Vec<Landed>, Error> {
        self.store.with(|database| {
            let mut commits = Vec::new();
            let mut next = self.tip;
            while let Some(commit) = next.filter(|_| commits.len() < limit) {
                let commit = read(database, commit)?;
                next = commit.parent;
                commits.push(commit);
            }
            Ok(commits)
        })
    }

    /// One commit, wherever it is.
    pub(crate) fn commit_at(&self, commit: Id) -> Result<Landed, Error> {
        self.store.with(|database| read(database, commit))
    }

    /// Searches the commits that came since the last search.
    fn search(&self, searched: &mut Searched, tip: Id) -> Result<(), Error> {
        let (found, is_continued) = self
            .store
            .with(|database| requests(database, tip, searched.tip))?;
        if !is_continued {
            // Another history than the one that was searched, or all of the one that counts.
            searched.found.clear();
        }
        for (request, commit) in found {
            // Of two commits of one request, which only a hand can bring there, the older one counts.
            searched.found.entry(request).or_insert(commit);
        }
        searched.tip = Some(tip);
        Ok(())
    }
}

impl Requests {
    fn lock(&self) -> MutexGuard<'_, Searched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The requests of the commits from `tip` back to `known`, the oldest first, and whether `known` was
/// met.
fn requests(
    database: &Database<'_>,
    tip: Id,
    known: Option<Id>,
) -> gix::Result<(Vec<(RequestId, Id)>, bool)> {
    let (mut found, mut next, mut buffer) = (Vec::new(), Some(tip), Vec::new());
    for _ in 0..SEARCH {
        let Some(commit) = next.filter(|next| Some(*next) != known) else {
            break;
        };
        let tokens = database.find_commit_iter(&commit.object(), &mut buffer)?;
        next = tokens.parent_ids().next().map(Id::from);
        // Few commits have one, and to look for bytes is far cheaper than to read a message.
        if buffer.windows(TRAILER.len()).any(|bytes| bytes == TRAILER) {
            let message = read(database, commit)?.message;
            found.extend(message.request.map(|request| (request, commit)));
        }
    }
    found.reverse();
    Ok((found, known.is_some() && next == known))
}

/// A commit and what it says.
fn read(database: &Database<'_>, commit: Id) -> gix::Result<Landed> {
    let mut buffer = Vec::new();
    let mut landed = Landed {
        commit,
        parent: None,
        time: Timestamp::UNIX_EPOCH,
        author: Author {
            name: String::new(),
            email: String::new(),
        },
        message: Message::default(),
    };
    for token in database.find_commit_iter(&commit.object(), &mut buffer)? {
        match token? {
            Token::Parent { id } => {
                landed.parent.get_or_insert(id.into());
            }
            Token::Author { signature } => {
                let signature = signature.trim();
                landed.author.name = signature.name.to_string();
                landed.author.email = signature.email.to_string();
                landed.time = Timestamp::from_second(signature.seconds()).unwrap_or_default();
            }
            Token::Message(message) => landed.message = Message::read(&message.to_string()),
            _ => {}
        }
    }
    Ok(landed)
}
