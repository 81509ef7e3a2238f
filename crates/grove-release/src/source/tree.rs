//! A fleet's files from a Git tree.

use gix::objs::tree::EntryKind;
use grove_core::{File, Snapshot};

use super::select::{Count, DEPTH, is_wanted, too_deep};
use crate::{
    Error, Id,
    git::{Database, reason},
};

/// The files of the fleet at `directory` of `commit`.
pub(super) fn snapshot(
    repo: &gix::Repository,
    commit: Id,
    directory: &str,
) -> Result<Snapshot, Error> {
    let broken = |error: gix::Error| Error::Repository {
        path: repo.git_dir().to_owned(),
        message: reason(&error),
    };
    let root: Id = repo
        .find_commit(commit.object())
        .and_then(|commit| Ok(commit.tree_id()?.detach().into()))
        .map_err(broken)?;
    let database = Database::new(&repo.objects);
    let fleet = database
        .directory(root, directory)
        .map_err(broken)?
        .ok_or_else(|| Error::NoDirectory {
            revision: commit,
            path: directory.to_owned(),
        })?;
    let (count, mut snapshot) = (Count::default(), Snapshot::default());
    // The trees that are still to be read: their path with a slash at its end, and their depth.
    let mut open = vec![(String::new(), fleet, 0)];
    while let Some((prefix, tree, depth)) = open.pop() {
        if depth > DEPTH {
            return Err(too_deep(&prefix));
        }
        let tree = repo.find_tree(tree.object()).map_err(broken)?;
        for entry in tree.iter() {
            let entry = entry.map_err(broken)?;
            let name = String::from_utf8_lossy(entry.filename());
            let path = format!("{prefix}{name}");
            count.visit(&path)?;
            if !is_plain(&name) {
                return Err(Error::HostileName(path.chars().take(200).collect()));
            }
            if !is_wanted(&path) {
                continue;
            }
            if std::str::from_utf8(entry.filename()).is_err() {
                let reason = "its name is not UTF-8".to_owned();
                snapshot.files.insert(path, File::Unreadable(reason));
                continue;
            }
            let id: Id = entry.object_id().into();
            match entry.kind() {
                EntryKind::Tree => open.push((format!("{path}/"), id, depth + 1)),
                EntryKind::Commit => {}
                kind @ (EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link) => {
                    let file = match database.blob(id).map_err(broken)? {
                        Err(size) => File::TooLarge(size),
                        Ok(bytes) if kind == EntryKind::Link => {
                            File::Link(String::from_utf8_lossy(&bytes).into_owned())
                        }
                        Ok(bytes) => count.file(&path, bytes)?,
                    };
                    snapshot.files.insert(path, file);
                }
            }
        }
    }
    Ok(snapshot)
}

/// Whether a name is that of one entry of a directory and leads nowhere else.
pub(super) fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}
