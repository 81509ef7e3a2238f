//! Trees that are known by their content, and what went wrong with objects.

use std::collections::BTreeMap;

use crate::Id;
use gix::{
    ObjectId,
    objs::{
        Kind, WriteTo as _,
        tree::{Entry, EntryKind},
    },
};

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
