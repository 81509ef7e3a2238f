//! Reading and writing Git objects.

use std::collections::BTreeMap;

use gix::{
    ObjectId,
    objs::{
        Kind, WriteTo as _,
        tree::{Entry, EntryKind},
    },
};
use grove_core::snapshot::FILE_LIMIT;

use crate::Id;

/// What a look-up in a tree gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    /// Its object.
    pub(crate) id: Id,
    /// Whether it is a directory.
    pub(crate) is_directory: bool,
}

/// The Git id of a directory that holds just `files` (by path below it), as regular files. Nothing is
/// read or written.
pub fn tree_id(files: &BTreeMap<String, Vec<u8>>) -> Option<Id> {
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
        .collect();
    Some(tree_of(&files)?.into())
}

/// The same for sorted paths.
fn tree_of(mut files: &[(&str, &[u8])]) -> Option<ObjectId> {
    let mut entries = Vec::with_capacity(files.len());
    while let Some((path, bytes)) = files.first() {
        let (name, mode, oid, count) = match path.split_once('/') {
            None => {
                let oid = gix::objs::compute_hash(gix::hash::Kind::Sha1, Kind::Blob, bytes).ok()?;
                (*path, EntryKind::Blob, oid, 1)
            }
            Some((directory, _)) => {
                let below: Vec<(&str, &[u8])> = files
                    .iter()
                    .map_while(|(path, bytes)| {
                        let rest = path.strip_prefix(directory)?.strip_prefix('/')?;
                        Some((rest, *bytes))
                    })
                    .collect();
                (directory, EntryKind::Tree, tree_of(&below)?, below.len())
            }
        };
        entries.push(Entry {
            mode: mode.into(),
            filename: name.into(),
            oid,
        });
        files = files.get(count..)?;
    }
    entries.sort();
    let mut bytes = Vec::new();
    gix::objs::Tree { entries }.write_to(&mut bytes).ok()?;
    gix::objs::compute_hash(gix::hash::Kind::Sha1, Kind::Tree, &bytes).ok()
}

/// The entry at `path` (with `/`) below the tree `root`.
pub(crate) fn sub_entry(repo: &gix::Repository, root: Id, path: &str) -> gix::Result<Option<Tree>> {
    if path.is_empty() {
        return Ok(Some(Tree {
            id: root,
            is_directory: true,
        }));
    }
    let entry = repo
        .find_tree(root.object())?
        .lookup_entry(path.split('/').map(str::as_bytes))?;
    Ok(entry.map(|entry| Tree {
        id: entry.object_id().into(),
        is_directory: entry.mode().is_tree(),
    }))
}

/// The directory at `path` below the tree `root`.
pub(crate) fn sub_tree(repo: &gix::Repository, root: Id, path: &str) -> gix::Result<Option<Id>> {
    Ok(sub_entry(repo, root, path)?
        .filter(|entry| entry.is_directory)
        .map(|entry| entry.id))
}

/// A blob's bytes, or its size where that is more than [`FILE_LIMIT`]; such a one is not read.
pub(crate) fn read_blob(repo: &gix::Repository, id: Id) -> gix::Result<Result<Vec<u8>, u64>> {
    let size = repo.find_header(id.object())?.size();
    if size > FILE_LIMIT {
        return Ok(Err(size));
    }
    Ok(Ok(repo.find_blob(id.object())?.take_data()))
}

/// An error of `gix` in one line: what failed, and why.
pub(crate) fn reason(error: &gix::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for error in error.iter_errors() {
        let part = error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        if !part.is_empty() && !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts.truncate(3);
    parts.join(": ")
}
