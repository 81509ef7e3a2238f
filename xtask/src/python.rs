//! Python environments from locks: of the example fleet's distributions, for the worker's own tests and
//! for Tutor as the peer in benchmarks, and of a server that tests need. They are made by pip.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

use crate::{context::Context, process, tools};

/// What a machine must have.
const PROBE: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";

/// An environment with a locked distribution.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    /// The distribution's name.
    pub(crate) name: String,
    directory: PathBuf,
}

impl Environment {
    /// A program of the environment: `python`, `tutor`.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.directory.join("bin").join(name)
    }
}

/// Whether `python3` is what Grove needs.
pub(crate) fn works() -> bool {
    process::succeeds(Command::new("python3").args(["-c", PROBE]))
}

/// Whether packages can be had, or need not be.
pub(crate) fn index_is_reached(context: &Context) -> bool {
    if locks(context).is_ok_and(|locks| locks.iter().all(|lock| is_made(context, lock))) {
        return true;
    }
    let Ok(directory) = tempfile::tempdir() else {
        return false;
    };
    process::succeeds(
        Command::new("python3")
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--retries",
                "1",
                "--dest",
            ])
            .arg(directory.path())
            .arg("PyYAML"),
    )
}

/// The environments of all distributions of the example fleet.
pub(crate) fn environments(context: &Context) -> Result<Vec<Environment>> {
    locks(context)?
        .iter()
        .map(|lock| environment(context, lock))
        .collect()
}

/// The environment of one lock, made where the cache does not have it.
pub(crate) fn environment(context: &Context, lock: &Path) -> Result<Environment> {
    let name = lock
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let directory = directory(context, lock)?;
    let environment = Environment { name, directory };
    if is_made(context, lock) {
        return Ok(environment);
    }
    println!("installing the environment of `{}`", environment.name);
    if environment.directory.exists() {
        fs_err::remove_dir_all(&environment.directory)?;
    }
    process::run(
        Command::new("python3")
            .args(["-m", "venv"])
            .arg(&environment.directory),
    )?;
    process::run(
        Command::new(environment.program("python"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(["--require-hashes", "--no-deps", "--requirement"])
            .arg(lock),
    )?;
    fs_err::write(marker(&environment.directory), "")?;
    Ok(environment)
}

/// A server that speaks S3, for tests of back ends.
pub(crate) fn s3(context: &Context) -> Result<PathBuf> {
    let lock = context.root.join("e2e/s3/requirements.txt");
    Ok(environment(context, &lock)?.program("moto_server"))
}

/// Python with Django and django-waffle, for tests of feature flags.
pub(crate) fn waffle(context: &Context) -> Result<PathBuf> {
    let lock = context.root.join("e2e/waffle/requirements.txt");
    Ok(environment(context, &lock)?.program("python"))
}

/// The locks of the example fleet.
fn locks(context: &Context) -> Result<Vec<PathBuf>> {
    let mut locks = Vec::new();
    for entry in fs_err::read_dir(context.root.join("examples/fleet/distributions"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "lock") {
            locks.push(path);
        }
    }
    locks.sort();
    ensure!(
        !locks.is_empty(),
        "the example fleet has no locked distribution"
    );
    Ok(locks)
}

fn directory(context: &Context, lock: &Path) -> Result<PathBuf> {
    Ok(context
        .cache
        .join("environments")
        .join(tools::digest(&[lock])?))
}

fn is_made(context: &Context, lock: &Path) -> bool {
    directory(context, lock).is_ok_and(|directory| marker(&directory).is_file())
}

/// Written last: an environment without it was interrupted.
fn marker(directory: &Path) -> PathBuf {
    directory.join("complete")
}
