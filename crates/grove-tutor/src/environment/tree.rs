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

/// Calls `visit` for everything below `root`, in the order of paths.
fn walk(
    root: &Path,
    visit: impl Fn(&mut Sha256, &Path, &std::fs::Metadata) -> io::Result<()>,
) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut pending = vec![root.to_owned()];
    while let Some(directory) = pending.pop() {
        let mut paths: Vec<_> = fs::read_dir(&directory)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<_>>()?;
        paths.sort_unstable();
        for path in paths {
            let meta = fs::symlink_metadata(&path)?;
            let relative = path.strip_prefix(root).map_err(io::Error::other)?;
            hash.update(relative.as_os_str().as_bytes());
            hash.update([0]);
            visit(&mut hash, &path, &meta)?;
            hash.update([0]);
            if meta.is_dir() {
                pending.push(path);
            }
        }
    }
    Ok(format!("{:x}", hash.finalize()))
}
