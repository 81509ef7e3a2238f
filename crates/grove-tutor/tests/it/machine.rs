//! Where the tests install.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use grove_tutor::{Cache, Progress};

/// A cache that outlives the tests, in the build directory: installing Tutor takes its time.
pub(crate) fn shared_cache() -> Cache {
    cache(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache"))
}

/// A cache of its own, which shares nothing but what was downloaded.
pub(crate) fn fresh_cache(root: &Path) -> Cache {
    let shared = shared_cache();
    for name in ["tools", "uv"] {
        let directory = shared.root.join(name);
        std::fs::create_dir_all(&directory).unwrap();
        symlink(directory, root.join(name)).unwrap();
    }
    cache(root.to_owned())
}

fn cache(root: PathBuf) -> Cache {
    Cache {
        root,
        launcher: PathBuf::from(env!("CARGO_BIN_EXE_grove-tutor-launcher")),
    }
}

/// Prints the steps; the test runner shows them where a test fails.
pub(crate) struct Print;

impl Progress for Print {
    fn step(&self, message: &str) {
        println!("{message}");
    }
}
