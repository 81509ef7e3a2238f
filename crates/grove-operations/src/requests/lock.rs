//! One at a time of the requests of one name.

use std::{
    fs::{File, TryLockError},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::record::Place;
use crate::{Around, Error, Kind, Result};

/// Held while a request is carried out.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Waits until nobody else carries out a request of the name. None where the cache cannot be written to: then
    /// nothing is kept either.
    pub(super) fn take(around: &Around, place: &Place) -> Result<Option<Self>> {
        loop {
            let file = match open(&place.lock) {
                Ok(file) => file,
                Err(error) => {
                    place.not_kept(&error);
                    return Ok(None);
                }
            };
            match file.try_lock() {
                Ok(()) => {}
                // A file system without locks.
                Err(TryLockError::Error(error)) => {
                    place.not_kept(&error);
                    return Ok(None);
                }
                Err(TryLockError::WouldBlock) => wait(around, place, &file)?,
            }
            // Whoever held it before may have removed the file: what counts is the one that others find.
            if is_at(&file, &place.lock) {
                return Ok(Some(Self {
                    path: place.lock.clone(),
                    _file: file,
                }));
            }
        }
    }
}

impl Drop for Lock {
    /// While it is still held. A file that stays is swept.
    fn drop(&mut self) {
        fs_err::remove_file(&self.path).ok();
    }
}

/// Waits until whoever holds a file lets go of it.
fn wait(around: &Around, place: &Place, file: &File) -> Result<()> {
    around.progress(&format!(
        "waiting for the request `{}`, which is being carried out",
        place.id
    ));
    let waited = grove_exec::lock(file, None);
    around.progress_done();
    waited.map_err(|error| match error.kind() {
        std::io::ErrorKind::Interrupted => Error::new(Kind::Ended, "the operation was ended"),
        _ => Error::from(error),
    })
}

fn open(path: &Path) -> std::io::Result<File> {
    if let Some(directory) = path.parent() {
        fs_err::create_dir_all(directory)?;
    }
    let file = fs_err::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    Ok(file.into_parts().0)
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs_err::metadata(path)) {
        (Ok(own), Ok(found)) => (own.dev(), own.ino()) == (found.dev(), found.ino()),
        _ => false,
    }
}

/// Removes a file that nobody holds.
pub(super) fn sweep(path: &Path) {
    if let Ok(file) = open(path)
        && file.try_lock().is_ok()
        && is_at(&file, path)
    {
        fs_err::remove_file(path).ok();
    }
}
