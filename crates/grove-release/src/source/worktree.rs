//! A fleet's files from a directory.

use std::{fs::FileType, io::Read as _, path::Path};

use grove_core::{File, Snapshot, snapshot::FILE_LIMIT};
use rayon::prelude::*;

use super::select::{Count, DEPTH, is_wanted, too_deep};
use crate::Error;

/// The files of the fleet in the directory `fleet`. Symbolic links below it are not followed, what
/// is neither file nor directory is not opened.
pub fn worktree(fleet: &Path) -> Result<Snapshot, Error> {
    let files = directory(fleet, "", 0, &Count::default())?;
    Ok(Snapshot {
        files: files.into_iter().collect(),
    })
}

/// The files below a directory. Directories beside each other are read at once: each needs a few calls
/// of the system, and a fleet has thousands.
fn directory(
    directory: &Path,
    prefix: &str,
    depth: usize,
    count: &Count,
) -> Result<Vec<(String, File)>, Error> {
    if depth > DEPTH {
        return Err(too_deep(prefix));
    }
    let entries = match fs_err::read_dir(directory) {
        Ok(entries) => entries,
        Err(source) if depth == 0 => {
            return Err(Error::Io {
                path: directory.to_owned(),
                source,
            });
        }
        Err(error) => {
            let path = prefix.trim_end_matches('/').to_owned();
            return Ok(vec![(path, File::Unreadable(error.to_string()))]);
        }
    };
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    for entry in entries {
        let entry = entry.map_err(Error::io(directory))?;
        let name = entry.file_name();
        let path = format!("{prefix}{}", name.to_string_lossy());
        count.visit(&path)?;
        if !is_wanted(&path) {
            continue;
        }
        let file = match entry.file_type() {
            _ if name.to_str().is_none() => File::Unreadable("its name is not UTF-8".to_owned()),
            Ok(kind) if kind.is_dir() => {
                directories.push((entry.path(), format!("{path}/")));
                continue;
            }
            Ok(kind) => file(&entry.path(), &path, kind, count)?,
            Err(error) => File::Unreadable(error.to_string()),
        };
        files.push((path, file));
    }
    let below: Vec<_> = directories
        .into_par_iter()
        .map(|(place, prefix)| self::directory(&place, &prefix, depth + 1, count))
        .collect();
    for found in below {
        files.extend(found?);
    }
    Ok(files)
}

/// What is not a directory.
fn file(place: &Path, path: &str, kind: FileType, count: &Count) -> Result<File, Error> {
    let found = if kind.is_symlink() {
        fs_err::read_link(place).map(|target| File::Link(target.to_string_lossy().into_owned()))
    } else if kind.is_file() {
        match read(place) {
            Ok(Ok(bytes)) => return count.file(path, bytes),
            Ok(Err(size)) => Ok(File::TooLarge(size)),
            Err(error) => Err(error),
        }
    } else {
        let reason = "it is neither a file nor a directory".to_owned();
        Ok(File::Unreadable(reason))
    };
    Ok(found.unwrap_or_else(|error| File::Unreadable(error.to_string())))
}

/// A file's bytes, or its size where that is more than [`FILE_LIMIT`].
fn read(path: &Path) -> std::io::Result<Result<Vec<u8>, u64>> {
    let file = fs_err::File::open(path)?;
    let size = file.metadata()?.len();
    if size > FILE_LIMIT {
        return Ok(Err(size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    // It may have grown since.
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Ok(Err(bytes.len() as u64));
    }
    Ok(Ok(bytes))
}
