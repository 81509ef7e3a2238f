//! A fleet's files from a directory.

use std::{io::Read as _, path::Path};

use grove_fleet::{File, Snapshot, snapshot::FILE_LIMIT};

use super::select::{Collector, DEPTH, is_wanted, too_deep};
use crate::Error;

/// The files of the fleet in the directory `fleet`. Symbolic links below it are not followed, what
/// is neither file nor directory is not opened.
pub fn worktree(fleet: &Path) -> Result<Snapshot, Error> {
    let mut collector = Collector::default();
    let mut open = vec![(fleet.to_owned(), String::new(), 0)];
    while let Some((directory, prefix, depth)) = open.pop() {
        if depth > DEPTH {
            return Err(too_deep(&prefix));
        }
        let entries = match fs_err::read_dir(&directory) {
            Ok(entries) => entries,
            Err(source) if depth == 0 => {
                return Err(Error::Io {
                    path: directory,
                    source,
                });
            }
            Err(error) => {
                let path = prefix.trim_end_matches('/').to_owned();
                collector.file(path, File::Unreadable(error.to_string()));
                continue;
            }
        };
        for entry in entries {
            let entry = entry.map_err(Error::io(&directory))?;
            let name = entry.file_name();
            let path = format!("{prefix}{}", name.to_string_lossy());
            collector.visit(&path)?;
            if !is_wanted(&path) {
                continue;
            }
            if name.to_str().is_none() {
                collector.file(path, File::Unreadable("its name is not UTF-8".to_owned()));
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => {
                    open.push((entry.path(), format!("{path}/"), depth + 1));
                }
                Ok(kind) if kind.is_symlink() => match fs_err::read_link(entry.path()) {
                    Ok(target) => {
                        let target = target.to_string_lossy().into_owned();
                        collector.file(path, File::Link(target));
                    }
                    Err(error) => collector.file(path, File::Unreadable(error.to_string())),
                },
                Ok(kind) if kind.is_file() => match read(&entry.path()) {
                    Ok(Ok(bytes)) => collector.bytes(path, bytes)?,
                    Ok(Err(size)) => collector.file(path, File::TooLarge(size)),
                    Err(error) => collector.file(path, File::Unreadable(error.to_string())),
                },
                Ok(_) => {
                    let reason = "it is neither a file nor a directory".to_owned();
                    collector.file(path, File::Unreadable(reason));
                }
                Err(error) => collector.file(path, File::Unreadable(error.to_string())),
            }
        }
    }
    Ok(collector.finish())
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
