//! The fleet's files and their history, wherever they are.

use std::sync::Arc;

use grove_fleet::Snapshot;
use grove_release::{Git, Id, Order, Published, Revision, Source};

use super::commit::commit;
use crate::{Around, Error, Result, files};

/// A fleet's files, in place of a directory.
pub trait Files: Send + Sync {
    /// The work tree as it is.
    fn work_tree(&self) -> Result<Snapshot>;

    /// A file of the work tree as it is; none where there is no such file.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>>;

    /// Replaces a file of the work tree whole, or not at all.
    fn write(&self, path: &str, content: &[u8]) -> Result<()>;

    /// Commits files of the work tree, and brings the commit to where others see it.
    fn commit(&self, paths: &[&str], message: &str) -> Result<()>;

    /// The repository that holds the files; none where none does.
    fn history(&self) -> Option<Arc<dyn History>>;
}

/// Files that nobody changes, and that are in no repository.
impl Files for Snapshot {
    fn work_tree(&self) -> Result<Snapshot> {
        Ok(self.clone())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.bytes(path).map(|bytes| bytes.to_vec()))
    }

    fn write(&self, path: &str, _: &[u8]) -> Result<()> {
        Err(Error::refused(format!("`{path}` cannot be written to")))
    }

    fn commit(&self, _: &[&str], _: &str) -> Result<()> {
        Err(Error::refused("the files are in no repository"))
    }

    fn history(&self) -> Option<Arc<dyn History>> {
        None
    }
}

/// A repository that holds a fleet.
pub trait History: Send + Sync {
    /// The commit that a revision names.
    fn resolve(&self, revision: &str) -> Result<Id>;

    /// The fleet's files at a commit.
    fn snapshot(&self, commit: Id) -> Result<Snapshot>;

    /// Where the repository stands.
    fn revision(&self, git: &Git) -> Result<Revision>;

    /// Whether others can fetch a commit.
    fn published(&self, git: &Git, commit: Id) -> Result<Published>;

    /// Whether a release from `source` may follow one from `running`.
    fn order(&self, source: Id, running: Option<Id>) -> Result<Order>;
}

impl History for Source {
    fn resolve(&self, revision: &str) -> Result<Id> {
        Ok(Self::resolve(self, revision)?)
    }

    fn snapshot(&self, commit: Id) -> Result<Snapshot> {
        Ok(Self::snapshot(self, commit)?)
    }

    fn revision(&self, git: &Git) -> Result<Revision> {
        Ok(Self::revision(self, git)?)
    }

    fn published(&self, git: &Git, commit: Id) -> Result<Published> {
        Ok(Self::published(self, git, commit)?)
    }

    fn order(&self, source: Id, running: Option<Id>) -> Result<Order> {
        Ok(self.check_order(source, running)?)
    }
}

/// Refuses where a file of the work tree is not as it was read: what others wrote since would be lost.
pub(crate) fn refuse_changed(around: &Around, path: &str, then: Option<&[u8]>) -> Result<()> {
    let now = match &around.instead.files {
        Some(files) => files.read(path)?,
        None => files::read(&around.fleet()?.join(path))?,
    };
    if now.as_deref() == then {
        return Ok(());
    }
    let shown = match &around.instead.files {
        Some(_) => path.to_owned(),
        None => around.fleet()?.join(path).display().to_string(),
    };
    Err(
        Error::refused(format!("`{shown}` changed since it was read"))
            .hint("nothing was written to it; ask again"),
    )
}

/// Replaces a file of the work tree whole, or not at all.
pub(crate) fn write(around: &Around, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
    match &around.instead.files {
        Some(files) => files.write(path, content.as_ref()),
        None => files::write_atomically(&around.fleet()?.join(path), content),
    }
}

/// Commits files of the work tree and pushes that.
pub(crate) fn publish(around: &Around, paths: &[&str], message: &str) -> Result<()> {
    match &around.instead.files {
        Some(files) => files.commit(paths, message),
        None => commit(around.fleet()?, paths, message, around),
    }
}
