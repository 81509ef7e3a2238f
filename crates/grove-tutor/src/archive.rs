//! The worker's Python sources, which the executable carries.

use std::path::{Path, PathBuf};

use fs_err as fs;
use sha2::{Digest as _, Sha256};

use crate::cache::Cache;
use crate::error::Error;

/// A file of the package `grove_worker`: its path below the worker's directory, and its text.
macro_rules! package {
    ($name:literal) => {
        (
            concat!("grove_worker/", $name),
            include_str!(concat!("../../../worker/grove_worker/", $name)),
        )
    };
}

/// The worker's files.
const FILES: &[(&str, &str)] = &[
    ("__main__.py", include_str!("../../../worker/__main__.py")),
    package!("__init__.py"),
    package!("child.py"),
    package!("config.py"),
    package!("confine.py"),
    package!("declared.py"),
    package!("derivations.py"),
    package!("errors.py"),
    package!("frames.py"),
    package!("images.py"),
    package!("jinja.py"),
    package!("jobs.py"),
    package!("limits.py"),
    package!("loading.py"),
    package!("main.py"),
    package!("marks.py"),
    package!("parent.py"),
    package!("plugins.py"),
    package!("preload.py"),
    package!("project.py"),
    package!("references.py"),
    package!("render.py"),
    package!("request.py"),
    package!("scratch.py"),
    package!("secret.py"),
    package!("throwaway.py"),
    package!("trace.py"),
    package!("twice.py"),
    package!("uses.py"),
    package!("warm.py"),
    package!("watched.py"),
    package!("watching.py"),
];

/// The name of this version of the worker: a hash of its files.
pub(crate) fn version() -> String {
    let mut hash = Sha256::new();
    for (path, text) in FILES {
        for part in [path, text] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
    }
    let digest = format!("{:x}", hash.finalize());
    digest[..16].to_owned()
}

/// The directory in the cache that holds the worker's files; they are written there where they are
/// missing or not what they should be.
pub(crate) fn unpack(cache: &Cache) -> Result<PathBuf, Error> {
    let place = cache.directory("worker/v1")?.join(version());
    if is_whole(&place) {
        return Ok(place);
    }
    let scratch = cache.scratch()?;
    let (made, gone) = (scratch.path().join("made"), scratch.path().join("gone"));
    for (path, text) in FILES {
        let path = made.join(path);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(path, text)?;
    }
    // Another process may do the same at the same time: whichever comes last, the files are equal.
    if place.exists() {
        drop(fs::rename(&place, gone));
    }
    match fs::rename(&made, &place) {
        Err(_) if is_whole(&place) => Ok(place),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(place),
    }
}

/// Whether a directory holds every file as it should be.
fn is_whole(place: &Path) -> bool {
    FILES
        .iter()
        .all(|(path, text)| fs::read(place.join(path)).is_ok_and(|found| found == text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_package_is_carried() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worker/grove_worker");
        let mut found: Vec<String> = fs::read_dir(package)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "py"))
            .map(|path| format!("grove_worker/{}", path.file_name().unwrap().display()))
            .collect();
        found.push("__main__.py".to_owned());
        found.sort();
        let mut carried: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        carried.sort_unstable();
        assert_eq!(carried, found);
    }

    #[test]
    fn damaged_files_are_written_again() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache {
            root: root.path().to_owned(),
            launcher: PathBuf::new(),
        };
        let place = unpack(&cache).unwrap();
        assert!(is_whole(&place));
        fs::write(place.join("__main__.py"), "damage").unwrap();
        assert_eq!(unpack(&cache).unwrap(), place);
        assert!(is_whole(&place));
    }
}
