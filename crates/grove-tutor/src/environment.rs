//! The virtual environment of a locked distribution.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_err as fs;
use grove_core::Lock;
use grove_exec::Invocation;
use sha2::{Digest as _, Sha256};

use crate::cache::{Cache, Progress};
use crate::install::{install, limits};
use crate::pins::{self, Pin};
use crate::slot::{Facts, Slot};
use crate::tools::{Tools, python_runs};
use crate::wheels;

pub use crate::error::Error;

/// The name of the key file in an environment.
const THROWAWAY_KEY: &str = "throwaway.pem";

/// A distribution that is installed. While this lives, no process deletes it.
#[derive(Debug)]
pub struct Environment {
    /// Its Python.
    pub python: PathBuf,
    /// Its directory: a virtual environment.
    pub root: PathBuf,
    /// An RSA key of 2048 bits that was made with the environment, as a PEM file. Tutor is given
    /// it where it needs one that works; it protects nothing.
    pub throwaway_key: PathBuf,
    /// What a program that runs in it must be able to read: the environment and the Python that it
    /// was made from.
    pub read: Vec<PathBuf>,
    slot: Slot,
}

impl Environment {
    /// Whether every byte is as it was installed. It reads all of it: for when an import fails.
    pub fn is_intact(&self) -> bool {
        self.slot.is_intact()
    }

    /// Has the next call of [`environment`] install it anew.
    pub fn condemn(&self) -> Result<(), Error> {
        self.slot.condemn()
    }
}

/// The environment of a lock: the one in the cache, or a new one that is made from the lock alone.
///
/// Packages come from the package index or the cache, and only with a hash that the lock has.
/// What has no wheel in the index is built (see [`lock`](crate::lock::lock)), and the result
/// compared with the lock. Only what a lock installs matters, not its head's other fields. It is safe to call from several processes at once; one of them installs
/// and the others wait. One whose files are missing or have another size, or whose Python does not
/// run, is installed anew.
pub fn environment(
    lock: &Lock,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Environment, Error> {
    let pins = pins::parse(&lock.requirements)?;
    let place = cache.directory("environments/v1")?.join(key(&pins));
    let slot = Slot::obtain(&place, python_runs, |root| {
        let tools = Tools::obtain(cache, progress)?;
        let local = wheels::local(&pins, lock, cache, &tools, progress)?;
        progress.step("installing Tutor and its plugins");
        install(root, &pins, &local, &tools, cache)?;
        compile(root)?;
        make_throwaway_key(root, &tools, cache)?;
        Ok(Facts::from([
            (
                "prefix".to_owned(),
                tools.python.prefix.display().to_string(),
            ),
            (
                "python".to_owned(),
                tools.python.executable.display().to_string(),
            ),
        ]))
    })?;
    let mut read = vec![slot.root.clone()];
    read.extend(slot.facts.values().map(PathBuf::from));
    Ok(Environment {
        python: slot.root.join("bin/python"),
        root: slot.root.clone(),
        throwaway_key: slot.root.join(THROWAWAY_KEY),
        read,
        slot,
    })
}

/// What names an environment: all that is installed in it.
fn key(pins: &[Pin]) -> String {
    format!("{:x}", Sha256::digest(pins::print(pins, |_| None)))
}

/// Compiles the modules to bytecode: a confined program cannot keep what it compiles. Those that
/// Tutor hardly ever imports are two thirds of all, and are left out.
fn compile(root: &Path) -> Result<(), Error> {
    Invocation::new(root.join("bin/python"))
        .args(["-I", "-S", "-m", "compileall", "-q"])
        .args(["-x", "/site-packages/(kubernetes|mypy|mypyc)/"])
        .arg(root.join("lib"))
        .timeout(Duration::from_mins(10))
        // Packages bring modules that are for other versions of Python.
        .run_any()?;
    Ok(())
}

/// Makes the key with the library that Tutor brings for it.
fn make_throwaway_key(root: &Path, tools: &Tools, cache: &Cache) -> Result<(), Error> {
    let script =
        "from Crypto.PublicKey import RSA; print(RSA.generate(2048).export_key().decode())";
    let read = vec![
        root.to_owned(),
        tools.python.prefix.clone(),
        tools.python.executable.clone(),
    ];
    let key = Invocation::new(root.join("bin/python"))
        .args(["-I", "-c", script])
        .cwd(root)
        .sandbox(limits(cache, read, Vec::new()))
        .timeout(Duration::from_mins(2))
        .run()?;
    fs::write(root.join(THROWAWAY_KEY), key.stdout)?;
    Ok(())
}
