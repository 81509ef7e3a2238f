//! The Python that environments are made from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use grove_exec::{Invocation, find};

use crate::error::Error;

/// The names it may have on `PATH`, in the order in which they are tried.
const NAMES: &[&str] = &[
    "python3",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python",
];

/// Prints `1` where this Python will do, its own executable and the directory of its library. In a
/// virtual environment it is the Python that this was made from.
const SCRIPT: &str = "\
import sys
print(int(sys.version_info >= (3, 10) and sys.implementation.name == 'cpython'))
print(getattr(sys, '_base_executable', None) or sys.executable)
print(sys.base_prefix)
";

/// A Python on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Python {
    /// Its executable.
    pub(crate) executable: PathBuf,
    /// Where its library is.
    pub(crate) prefix: PathBuf,
}

impl Python {
    /// The first on `PATH` that is new enough.
    pub(crate) fn find() -> Result<Self, Error> {
        NAMES
            .iter()
            .filter(|name| find(name).is_some())
            .find_map(|name| Self::ask(name))
            .ok_or(Error::NoPython)
    }

    fn ask(program: &str) -> Option<Self> {
        let text = Invocation::new(program)
            .args(["-I", "-c", SCRIPT])
            .timeout(Duration::from_secs(20))
            .output_limit(1 << 20)
            .run()
            .ok()?
            .text()
            .ok()?;
        match text.lines().collect::<Vec<_>>()[..] {
            ["1", executable, prefix] => Some(Self {
                executable: PathBuf::from(executable).canonicalize().ok()?,
                prefix: prefix.into(),
            }),
            _ => None,
        }
    }
}

/// Whether the Python of an environment starts.
pub(crate) fn python_runs(root: &Path) -> bool {
    Invocation::new(root.join("bin/python"))
        .args(["-I", "-S", "-c", "pass"])
        .timeout(Duration::from_secs(20))
        .run()
        .is_ok()
}
