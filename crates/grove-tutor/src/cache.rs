//! Where Grove keeps what it can make again.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::error::Error;

/// The user's cache.
#[derive(Clone, Debug)]
pub struct Cache {
    /// Its directory; made where it is missing. Several Grove processes may share it.
    pub root: PathBuf,
    /// The executable that confines itself before it becomes another program: Grove's own
    /// ([`grove_exec::sandbox`]).
    pub launcher: PathBuf,
}

/// Hears what takes its time.
pub trait Progress: Sync {
    /// Something begins, `building tutor-mfe`.
    fn step(&self, message: &str);
}

/// One that nobody listens to.
impl Progress for () {
    fn step(&self, _message: &str) {}
}

impl Cache {
    /// A directory of the cache that exists.
    pub(crate) fn directory(&self, path: impl AsRef<Path>) -> Result<PathBuf, Error> {
        let path = std::path::absolute(self.root.join(path))?;
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// A directory for one piece of work, on the cache's file system. It goes when it is dropped.
    pub(crate) fn scratch(&self) -> Result<tempfile::TempDir, Error> {
        let parent = self.directory("scratch")?;
        Ok(tempfile::tempdir_in(parent)?)
    }
}

/// Opens a file to lock it; it is made where it is missing and its content does not matter.
pub(crate) fn lock_file(path: &Path) -> Result<File, Error> {
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    Ok(file.into_parts().0)
}

/// Writes a file whole or not at all.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), Error> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(content)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
