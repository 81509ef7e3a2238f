//! What a directory of the cache holds, as a digest.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use fs_err as fs;
use sha2::{Digest as _, Sha256};

/// A digest over every path below `root` with its kind and size: what damage nearly always
/// changes, and cheap to see.
pub(crate) fn listing(root: &Path) -> io::Result<String> {
    walk(root, |hash, path, meta| {
        if meta.is_file() {
            hash.update(meta.len().to_le_bytes());
        } else if meta.is_symlink() {
            hash.update(fs::read_link(path)?.as_os_str().as_bytes());
        }
        Ok(())
    })
}

/// A digest over every path below `root` and what it holds.
pub(crate) fn contents(root: &Path) -> io::Result<String> {
    walk(root, |hash, path, meta| {
        if meta.is_file() {
            hash.update(Sha256::digest(fs::read(path)?));
        } else if meta.is_symlink() {
            hash.update(fs::read_link(path)?.as_os_str().as_bytes());
        }
        Ok(())
    })
}

/// Calls `visit` for everything below `root`, each directory in the order of names.
fn walk(
    root: &Path,
    visit: impl Fn(&mut Sha256, &Path, &std::fs::Metadata) -> io::Result<()>,
) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut pending = vec![root.to_owned()];
    while let Some(directory) = pending.pop() {
        // An entry knows its directory's handle, which makes this much cheaper than by path.
        let mut entries = fs::read_dir(&directory)?
            .map(|entry| {
                let entry = entry?;
                Ok((entry.file_name(), entry.metadata()?))
            })
            .collect::<io::Result<Vec<_>>>()?;
        entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let relative = directory.strip_prefix(root).map_err(io::Error::other)?;
        hash.update(relative.as_os_str().as_bytes());
        hash.update([0, 0]);
        for (name, meta) in entries {
            hash.update(name.as_bytes());
            hash.update([0]);
            let path = directory.join(name);
            visit(&mut hash, &path, &meta)?;
            hash.update([0]);
            if meta.is_dir() {
                pending.push(path);
            }
        }
    }
    Ok(format!("{:x}", hash.finalize()))
}
