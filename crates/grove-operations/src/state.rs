//! States of OpenTofu and Terraform, taken apart and put together.
//!
//! All of it works on files of this machine and on root modules beside them: where they are is no part of a
//! request, as nobody elsewhere may name them. Relative paths begin at [`Around::directory`](crate::Around).

mod back_end;
mod configure;
pub mod diff;
pub mod join;
pub mod push;
pub mod rules;
pub mod source;
pub mod split;
pub mod verify;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use fs_err::os::unix::fs::OpenOptionsExt as _;
use grove_state::{Record, STAYS};

use crate::{Error, Kind, Result};

/// The name of a state's file in the directory of its stack, where the local back end looks for it.
const STATE: &str = "terraform.tfstate";
/// The name of the record of a split.
const RECORD: &str = "split.json";

/// A part of a split as it is on the disk.
struct PartFile {
    /// Its file.
    path: PathBuf,
    /// Its stack.
    stack: String,
    /// What is in the file.
    text: String,
}

/// The record of a split, and the text of every part.
fn parts(directory: &Path) -> Result<(Record, Vec<PartFile>)> {
    let path = directory.join(RECORD);
    let text = fs_err::read_to_string(&path).map_err(|error| {
        Error::from_error(Kind::Usage, &error).hint("this is no directory of `grove state split`")
    })?;
    let record: Record = serde_json::from_str(&text).map_err(|error| {
        Error::from_error(Kind::No, &error)
            .context(format!("{} is no record of a split", path.display()))
    })?;
    let mut texts = Vec::new();
    for part in &record.parts {
        // The record is a file like any other: a name in it must not lead elsewhere.
        let is_hidden = |name: &str| name.is_empty() || name.starts_with('.');
        if part.stack != STAYS && part.stack.split('/').any(is_hidden) {
            return Err(Error::new(
                Kind::No,
                format!("{} names a stack `{}`", path.display(), part.stack),
            ));
        }
        let file = directory.join(&part.stack).join(STATE);
        texts.push(PartFile {
            text: source::read(&file)?,
            stack: part.stack.clone(),
            path: file,
        });
    }
    Ok((record, texts))
}

/// The directory that a path is in.
fn parent(path: &Path) -> &Path {
    let parent = path.parent();
    parent
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A new file that only the user may read: a state holds passwords.
fn new_private(path: &Path) -> Result<fs_err::File> {
    let mut options = fs_err::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    Ok(options.open(path)?)
}

/// Writes a new file that only the user may read.
fn write_private(path: &Path, text: &str) -> Result<()> {
    Ok(new_private(path)?.write_all(text.as_bytes())?)
}

/// Writes a new file that only the user may read, whole or not at all.
fn write_new(path: &Path, text: &str) -> Result<()> {
    let file = written(path, text)?;
    file.persist_noclobber(path)
        .map_err(|error| Error::from_error(Kind::Tool, &error.error))?;
    Ok(())
}

/// Writes a file that only the user may read, whole or not at all.
fn write_whole(path: &Path, text: &str) -> Result<()> {
    let file = written(path, text)?;
    file.persist(path)
        .map_err(|error| Error::from_error(Kind::Tool, &error.error))?;
    Ok(())
}

/// A text on the disk, beside the file that it becomes.
fn written(path: &Path, text: &str) -> Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new_in(parent(path))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}
