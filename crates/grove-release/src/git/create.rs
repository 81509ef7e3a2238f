//! Making bare repositories.

use std::path::{Path, PathBuf};

use super::{Git, Remote};
use crate::Error;

/// Makes an empty bare repository at a local remote whose first branch is `branch`
/// (`deploy/prod`); one that is there stays as it is. Says whether it was made.
pub fn create_remote(git: &Git, remote: &Remote, branch: &str) -> Result<bool, Error> {
    let Some(path) = free(remote)? else {
        return Ok(false);
    };
    create_bare(git, &path, branch)?;
    Ok(true)
}

/// Whether there is no repository at a local remote, and [`create_remote`] would make one. An error where it
/// could not.
pub fn is_missing(remote: &Remote) -> Result<bool, Error> {
    Ok(free(remote)?.is_some())
}

/// Where a repository is to be made; none where there is one.
fn free(remote: &Remote) -> Result<Option<PathBuf>, Error> {
    let path = remote
        .path()
        .ok_or_else(|| Error::NotLocal(remote.to_string()))?;
    if crate::source::is_repository(&path) {
        return Ok(None);
    }
    let occupied =
        fs_err::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some()) || path.is_file();
    if occupied {
        return Err(Error::NotEmpty(path));
    }
    Ok(Some(path))
}

/// Makes a bare repository at `path` in one step: whoever sees the path sees the whole of it.
pub(super) fn create_bare(git: &Git, path: &Path, branch: &str) -> Result<(), Error> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    fs_err::create_dir_all(parent).map_err(Error::io(parent))?;
    let scratch = tempfile::Builder::new()
        .prefix(".new-repository-")
        .tempdir_in(parent)
        .map_err(Error::io(parent))?;
    let fresh = scratch.path().join("repository");
    git.text(
        scratch.path(),
        &[],
        "init",
        &[
            "--quiet",
            "--bare",
            // The user's templates bring hooks, which are not for this repository.
            "--template=",
            &format!("--initial-branch={branch}"),
            "--",
            "repository",
        ],
    )?;
    match fs_err::rename(&fresh, path) {
        Ok(()) => Ok(()),
        // Another process was faster; what it made is the same.
        Err(_) if crate::source::is_repository(path) => Ok(()),
        Err(source) => Err(Error::Io {
            path: path.to_owned(),
            source,
        }),
    }
}
