//! Where things are, and on what kind of machine this runs.

use std::{
    cell::OnceCell,
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{build::Build, process};

/// What every task knows.
#[derive(Debug)]
pub(crate) struct Context {
    /// The repository.
    pub(crate) root: PathBuf,
    /// What may be kept between runs and made again at any time: tools, Python environments. It
    /// lies outside the repository, so that a fresh clone finds it.
    pub(crate) cache: PathBuf,
    /// Whether this is a run that must not skip anything (`CI=true`).
    pub(crate) ci: bool,
    build: OnceCell<Build>,
}

impl Context {
    pub(crate) fn new() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask is not inside the repository")?
            .to_owned();
        let cache = directory("XDG_CACHE_HOME")
            .or_else(|| directory("HOME").map(|home| home.join(".cache")))
            .context("no place for the cache: neither HOME nor XDG_CACHE_HOME is set")?
            .join("grove-xtask");
        let ci = env::var("CI").is_ok_and(|value| value == "true" || value == "1");
        Ok(Self {
            root,
            cache,
            ci,
            build: OnceCell::new(),
        })
    }

    /// The workspace's test binaries and `grove`, built for tests, once a run.
    pub(crate) fn build(&self) -> Result<&Build> {
        if let Some(build) = self.build.get() {
            return Ok(build);
        }
        let build = Build::run(self)?;
        Ok(self.build.get_or_init(|| build))
    }

    /// The `grove` binary as users run it.
    pub(crate) fn release(&self) -> Result<PathBuf> {
        let mut command = process::cargo(self);
        command.args(["build", "--release", "--package", "grove", "--bin", "grove"]);
        process::run(&mut command)?;
        let target = directory("CARGO_TARGET_DIR").unwrap_or_else(|| PathBuf::from("target"));
        Ok(self.root.join(target).join("release/grove"))
    }

    /// `PATH` with `first` in front.
    pub(crate) fn path_with(first: &[PathBuf]) -> Result<OsString> {
        let path = env::var_os("PATH").unwrap_or_default();
        let directories = first.iter().cloned().chain(env::split_paths(&path));
        env::join_paths(directories).context("a directory of PATH has a colon in its name")
    }
}

fn directory(variable: &str) -> Option<PathBuf> {
    env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}
