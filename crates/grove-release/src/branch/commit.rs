//! The one function that writes to a deploy branch.

use std::time::Duration;

use gix::objs::tree::EntryKind;
use jiff::Timestamp;

use super::{
    Changes, Conflict, DeployBranch,
    conflict::{self, States},
};
use crate::{Error, Id, git::Pushed, layout};

/// How often a commit is put on top of what others pushed before it gives up.
const TRIES: u32 = 8;

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

/// Who makes a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The mail address.
    pub email: String,
}

/// A commit's message: subject, text, and the trailers that lead from the deploy branch back to the
/// fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The first line.
    pub subject: String,
    /// More, where there is more to say.
    pub text: Option<String>,
    /// `Grove-Source`: the fleet's commit.
    pub source: Option<Id>,
    /// Whether the source had changes that are in no commit; its trailer says so.
    pub local: bool,
    /// `Grove-Release`: instance and number, one trailer each.
    pub releases: Vec<(String, u32)>,
    /// `Grove-Version`: this program's version.
    pub grove: String,
}

/// What became of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The branch's newest commit after it; none where there is no branch and nothing to write.
    pub commit: Option<Id>,
    /// Whether anything was written. Nothing is, where the branch is as it should be already.
    pub pushed: bool,
    /// How many pushes lost a race before this one.
    pub retries: u32,
    /// What the remote said, a line each.
    pub messages: Vec<String>,
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
    /// At any moment the remote has either all of the commit or nothing of it.
    pub fn commit<E: From<Error>>(
        &mut self,
        mut draft: Draft,
        mut recompute: impl FnMut(&Self, Conflict) -> Result<Draft, E>,
    ) -> Result<Outcome, E> {
        draft.changes.check()?;
        // What the draft was made from. The branch may be further by now.
        let mut base = self.tip;
        let mut before = self.states(&draft, base)?;
        for retries in 0..TRIES {
            let Some(ours) = self.write(&draft)? else {
                return Ok(Outcome {
                    commit: self.tip,
                    retries,
                    ..Outcome::default()
                });
            };
            // Read now: what only this cache has is gone if it must be made anew on the way.
            let after = self.states(&draft, Some(ours))?;
            let failure = match self.cache.push(ours, self.tip) {
                Ok(Pushed::Done(messages)) => {
                    self.tip = Some(ours);
                    return Ok(Outcome {
                        commit: Some(ours),
                        pushed: true,
                        retries,
                        messages,
                    });
                }
                Ok(Pushed::Raced) => None,
                Ok(Pushed::Failed(error)) | Err(error) => Some(error),
            };
            if self.landed_after_all(ours, failure)? {
                return Ok(Outcome {
                    commit: Some(ours),
                    pushed: true,
                    retries,
                    messages: Vec::new(),
                });
            }
            if let Some(theirs) = self.tip
                && self.tip != base
            {
                let found = self
                    .cache
                    .with(|repo| conflict::find(repo, &before, &after, base, theirs))?;
                if let Some(conflict) = found {
                    draft = recompute(self, conflict)?;
                    draft.changes.check()?;
                    base = self.tip;
                    before = self.states(&draft, base)?;
                }
            }
            std::thread::sleep(pause(retries));
        }
        Err(Error::Contended {
            branch: self.name().to_owned(),
            tries: TRIES,
        }
        .into())
    }

    /// Fetches after a push that did not succeed, and says whether the remote has the commit
    /// nevertheless: a connection may break after the remote took it. An error where it is not worth
    /// another try; `failure` is the push's own, none for a lost race.
    fn landed_after_all(&mut self, ours: Id, failure: Option<Error>) -> Result<bool, Error> {
        let theirs = match (self.cache.fetch(), failure) {
            // Nobody was faster, so the push would fail again.
            (Ok(theirs), Some(error)) if theirs == self.tip => return Err(error),
            (Ok(theirs), _) => theirs,
            // The first of two failures explains the second.
            (Err(_), Some(error)) | (Err(error), None) => return Err(error),
        };
        let expected = std::mem::replace(&mut self.tip, theirs);
        match (expected, theirs) {
            (Some(last), None) => Err(Error::BranchGone {
                remote: self.remote().to_string(),
                branch: self.name().to_owned(),
                last,
            }),
            _ => self.has_commit(ours),
        }
    }

    fn states(&self, draft: &Draft, commit: Option<Id>) -> Result<States, Error> {
        self.cache
            .with(|repo| conflict::states(repo, &draft.changes, commit))
    }

    /// Writes the commit's objects to the cache, on top of the present tip; nothing where the tree
    /// stays as it is. Only the trees on the way to a change are read and written.
    fn write(&self, draft: &Draft) -> Result<Option<Id>, Error> {
        if draft.changes.is_empty() {
            return Ok(None);
        }
        let message = draft.message.to_string();
        let (author, time) = (draft.author.signature(), draft.time.as_second());
        let readme = layout::readme(self.cluster());
        self.cache.with(|repo| {
            let before = match self.tip {
                Some(tip) => repo.find_commit(tip.object())?.tree()?,
                None => repo.empty_tree(),
            };
            let mut editor = before.edit()?;
            for (directory, files) in &draft.changes.directories {
                editor.remove(directory)?;
                for (name, bytes) in files {
                    let blob = repo.write_blob(bytes)?;
                    editor.upsert(format!("{directory}/{name}"), EntryKind::Blob, blob)?;
                }
            }
            for (path, bytes) in &draft.changes.files {
                match bytes {
                    Some(bytes) => {
                        let blob = repo.write_blob(bytes)?;
                        editor.upsert(path, EntryKind::Blob, blob)?;
                    }
                    None => {
                        editor.remove(path)?;
                    }
                }
            }
            let mut tree = editor.write()?.detach();
            if tree == before.id {
                return Ok(None);
            }
            let missing = [
                (layout::FORMAT_FILE, format!("{}\n", layout::FORMAT)),
                (layout::README_FILE, readme.clone()),
            ]
            .into_iter()
            .filter(|(name, _)| before.find_entry(name.as_bytes()).is_none());
            for (name, text) in missing {
                let blob = repo.write_blob(text)?;
                editor.upsert(name, EntryKind::Blob, blob)?;
                tree = editor.write()?.detach();
            }
            let signature = gix::actor::SignatureRef {
                name: author.name.as_str().into(),
                email: author.email.as_str().into(),
                time: &format!("{time} +0000"),
            };
            let parents = self.tip.map(Id::object);
            let commit = repo.new_commit_as(signature, signature, &message, tree, parents)?;
            Ok(Some(commit.id.into()))
        })
    }
}

impl Author {
    /// The same without what would end the name or the address in a commit.
    fn signature(&self) -> Self {
        let plain = |text: &str| -> String {
            text.chars()
                .filter(|c| !c.is_control() && !matches!(c, '<' | '>'))
                .collect::<String>()
                .trim()
                .to_owned()
        };
        Self {
            name: plain(&self.name),
            email: plain(&self.email),
        }
    }
}

impl std::fmt::Display for Author {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} <{}>", self.name, self.email)
    }
}

impl std::fmt::Display for Message {
    /// The whole message. The trailers are its last paragraph, so that no text above can pass for one.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let subject: Vec<&str> = self.subject.split_whitespace().collect();
        writeln!(formatter, "{}\n", subject.join(" ").replace('\0', ""))?;
        if let Some(text) = &self.text
            && !text.trim().is_empty()
        {
            writeln!(formatter, "{}\n", text.trim().replace(['\0', '\r'], ""))?;
        }
        if let Some(source) = self.source {
            let local = if self.local {
                " with local changes"
            } else {
                ""
            };
            writeln!(formatter, "Grove-Source: {source}{local}")?;
        }
        for (instance, release) in &self.releases {
            writeln!(formatter, "Grove-Release: {instance}/{release:04}")?;
        }
        writeln!(formatter, "Grove-Version: {}", self.grove)
    }
}

/// How long to wait before the next try. Without chance: the remote lets one of us through each time,
/// so all get there.
fn pause(retries: u32) -> Duration {
    Duration::from_millis(20 << retries.min(6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_ends_in_its_trailers() {
        let message = Message {
            subject: "deploy\nuni".to_owned(),
            text: Some("A new theme.\n\nGrove-Release: other/0009\n".to_owned()),
            source: Some("1111111111111111111111111111111111111111".parse().unwrap()),
            local: true,
            releases: vec![("uni".to_owned(), 7), ("two".to_owned(), 12)],
            grove: "0.1.0".to_owned(),
        };
        insta::assert_snapshot!(message, @"
        deploy uni

        A new theme.

        Grove-Release: other/0009

        Grove-Source: 1111111111111111111111111111111111111111 with local changes
        Grove-Release: uni/0007
        Grove-Release: two/0012
        Grove-Version: 0.1.0
        ");
    }

    #[test]
    fn an_author_cannot_break_out_of_the_line() {
        let author = Author {
            name: "A <b>\nc".to_owned(),
            email: " x@example.org> ".to_owned(),
        };
        assert_eq!(author.signature().to_string(), "A bc <x@example.org>");
    }
}
