//! Commits of a deploy branch, and which of them a request made.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use gix::{
    bstr::ByteSlice as _,
    objs::{FindExt as _, commit::ref_iter::Token},
};
use jiff::Timestamp;

use super::{Author, DeployBranch, Message};
use crate::{Error, Id, RequestId, git::Database};

/// How many of the newest commits are searched for a request.
const SEARCH: usize = 10_000;

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
        let Some(tip) = self.seen.tip else {
            return Ok(None);
        };
        let known = self.requests.lock().tip;
        if known != Some(tip) {
            // Without the lock: objects may have to be brought here.
            let found = self
                .store
                .with(|database| requests(database, tip, known, SEARCH))?;
            self.requests.lock().add(tip, known, found);
        }
        let commit = self.requests.lock().found.get(request).copied();
        commit
            .map(|commit| self.store.with(|database| read(database, commit)))
            .transpose()
    }

    /// The newest commits of the branch (along first parents), the newest first, at most `limit`.
    pub fn commits(&self, limit: usize) -> Result<Vec<Landed>, Error> {
        self.store.with(|database| {
            let mut commits = Vec::new();
            let mut next = self.seen.tip;
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
}

impl Requests {
    fn lock(&self) -> MutexGuard<'_, Searched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Searched {
    /// Adds what was found from `tip` back to `known`.
    fn add(&mut self, tip: Id, known: Option<Id>, found: Found) {
        if self.tip != known {
            // Another thread was faster; it found the same.
            return;
        }
        if !found.is_joined {
            // Another history than the one that was searched, or all of it that counts is new.
            self.found.clear();
        }
        for (request, commit) in found.requests {
            // Of two commits of one request, which only a hand can bring there, the older one counts.
            self.found.entry(request).or_insert(commit);
        }
        self.tip = Some(tip);
    }
}

/// What a search found.
struct Found {
    /// The oldest first.
    requests: Vec<(RequestId, Id)>,
    /// Whether it met the commit that was searched before.
    is_joined: bool,
}

/// The requests of the commits from `tip` back to `known`, at most `limit` commits.
fn requests(
    database: &Database<'_>,
    tip: Id,
    known: Option<Id>,
    limit: usize,
) -> gix::Result<Found> {
    let (mut requests, mut next, mut buffer) = (Vec::new(), Some(tip), Vec::new());
    for _ in 0..limit {
        let Some(commit) = next.filter(|next| Some(*next) != known) else {
            break;
        };
        let tokens = database.find_commit_iter(&commit.object(), &mut buffer)?;
        next = tokens.parent_ids().next().map(Id::from);
        // A blank line ends the headers.
        let message = buffer.split_once_str("\n\n").map(|(_, message)| message);
        let request = message.and_then(|message| Message::request(&message.to_str_lossy()));
        requests.extend(request.map(|request| (request, commit)));
    }
    requests.reverse();
    Ok(Found {
        requests,
        is_joined: known.is_some() && next == known,
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Changes, Draft, memory::MemoryRemote, refuse};

    #[test]
    fn a_search_ends_at_its_limit_or_where_it_ended_before() {
        fn is_shared<T: Send + Sync>() {}
        is_shared::<DeployBranch>();

        let remote = MemoryRemote::new("test");
        let mut branch = DeployBranch::open_in_memory(&remote, "prod").unwrap();
        let mut commits = Vec::new();
        for number in 0..5 {
            let mut changes = Changes::default();
            changes.write("file", number.to_string());
            let draft = Draft {
                changes,
                message: Message {
                    request: Some(format!("r-{number}").parse().unwrap()),
                    ..Message::default()
                },
                author: Author {
                    name: "Ada".to_owned(),
                    email: "ada@acme.example".to_owned(),
                },
                time: Timestamp::UNIX_EPOCH,
            };
            commits.push(branch.commit(draft, refuse).unwrap().commit);
        }
        let tip = branch.tip().unwrap();
        let found = |known: Option<Id>, limit| {
            let found = branch
                .store
                .with(|database| requests(database, tip, known, limit))
                .unwrap();
            let names: Vec<String> = found
                .requests
                .into_iter()
                .map(|(request, _)| request.into())
                .collect();
            (names.join(" "), found.is_joined)
        };
        assert_eq!(found(None, 10), ("r-0 r-1 r-2 r-3 r-4".to_owned(), false));
        assert_eq!(found(None, 2), ("r-3 r-4".to_owned(), false));
        assert_eq!(found(commits[2], 10), ("r-3 r-4".to_owned(), true));
        assert_eq!(found(commits[0], 2), ("r-3 r-4".to_owned(), false));
        // A history that has nothing of the other.
        let elsewhere = Some(Id::empty_tree());
        assert_eq!(found(elsewhere, 2), ("r-3 r-4".to_owned(), false));
    }
}
