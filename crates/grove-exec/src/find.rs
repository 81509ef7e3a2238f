//! Finding programs on `PATH`.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::caller;

/// The executable file that `program` names: looked up on the `PATH` of this thread's
/// [`Caller`](crate::Caller), or the path itself where it
/// holds a slash. Relative entries of `PATH` are passed over: what they name depends on the
/// directory that Grove was started in, which may be somebody else's.
pub fn find(program: impl AsRef<OsStr>) -> Option<PathBuf> {
    find_in(
        program.as_ref(),
        &caller::variable("PATH").unwrap_or_default(),
    )
}

/// [`find`] with the value of `PATH` given.
fn find_in(program: &OsStr, path: &OsStr) -> Option<PathBuf> {
    if program.is_empty() {
        return None;
    }
    if program.as_encoded_bytes().contains(&b'/') {
        let path = PathBuf::from(program);
        return is_executable(&path).then_some(path);
    }
    std::env::split_paths(path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(program))
        .find(|candidate| is_executable(candidate))
}

/// Whether `path` is a file that somebody may execute.
fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_executable_on_path_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("1"), dir.path().join("2"));
        for (directory, mode) in [(&first, 0o644), (&second, 0o755)] {
            std::fs::create_dir(directory).unwrap();
            let file = directory.join("tool");
            std::fs::write(&file, "").unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let path = std::env::join_paths([Path::new("relative"), &first, &second]).unwrap();
        assert_eq!(find_in("tool".as_ref(), &path), Some(second.join("tool")));
        assert_eq!(find_in("other".as_ref(), &path), None);
        assert_eq!(find_in("".as_ref(), &path), None);
        assert_eq!(find_in(first.join("tool").as_ref(), &path), None);
        assert_eq!(
            find_in(second.join("tool").as_ref(), "".as_ref()),
            Some(second.join("tool"))
        );
    }
}
