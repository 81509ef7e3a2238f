//! The objects of a commit.

use gix::objs::{FindExt as _, tree::EntryKind};

use super::Draft;
use crate::{Id, git::Database, layout};

/// Writes the objects of a commit on top of `tip`; nothing where the tree stays as it is. Only the trees
/// on the way to a change are read and written.
pub(crate) fn write(
    database: &Database<'_>,
    cluster: &str,
    draft: &Draft,
    tip: Option<Id>,
) -> gix::Result<Option<Id>> {
    if draft.changes.is_empty() {
        return Ok(None);
    }
    let root = match tip {
        Some(tip) => database.root(tip)?,
        None => Id::empty_tree(),
    };
    let mut buffer = Vec::new();
    let before: gix::objs::Tree = database.find_tree(&root.object(), &mut buffer)?.into();
    let missing: Vec<(&str, String)> = [
        (layout::FORMAT_FILE, format!("{}\n", layout::FORMAT)),
        (layout::README_FILE, layout::readme(cluster)),
    ]
    .into_iter()
    .filter(|(name, _)| !before.entries.iter().any(|entry| entry.filename == *name))
    .collect();

    let mut editor = database.edit(before);
    for (directory, files) in &draft.changes.directories {
        editor.remove(directory.split('/'))?;
        for (name, bytes) in files {
            let blob = database.write_blob(bytes)?;
            let path = directory.split('/').chain(name.split('/'));
            editor.upsert(path, EntryKind::Blob, blob)?;
        }
    }
    for (path, bytes) in &draft.changes.files {
        match bytes {
            Some(bytes) => {
                let blob = database.write_blob(bytes)?;
                editor.upsert(path.split('/'), EntryKind::Blob, blob)?;
            }
            None => {
                editor.remove(path.split('/'))?;
            }
        }
    }
    let mut tree = database.write_edited(&mut editor)?;
    if tree == root {
        return Ok(None);
    }
    if !missing.is_empty() {
        for (name, text) in missing {
            let blob = database.write_blob(text.as_bytes())?;
            editor.upsert([name], EntryKind::Blob, blob)?;
        }
        tree = database.write_edited(&mut editor)?;
    }

    let author = draft.author.signature();
    let signature = gix::actor::Signature {
        name: author.name.into(),
        email: author.email.into(),
        time: gix::date::Time::new(draft.time.as_second(), 0),
    };
    let commit = gix::objs::Commit {
        tree: tree.object(),
        parents: tip.into_iter().map(Id::object).collect(),
        author: signature.clone(),
        committer: signature,
        encoding: None,
        message: draft.message.to_string().into(),
        extra_headers: Vec::new(),
    };
    database.write_object(&commit).map(Some)
}
