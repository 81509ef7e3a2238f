//! uv and pip in the cache: the one thing that is fetched by what the machine brings.

mod python;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use grove_exec::{ExecError, Invocation, Variables};
use sha2::{Digest as _, Sha256};

use crate::cache::{Cache, Progress};
use crate::error::Error;
use crate::slot::{Facts, Slot};
use python::Python;

pub(crate) use python::python_runs;

/// Their versions, and the hashes of their wheels for every platform.
const PINS: &str = include_str!("tools/tools.txt");

/// uv and pip, in a virtual environment of their own.
#[derive(Debug)]
pub(crate) struct Tools {
    slot: Slot,
    /// The Python that environments are made from.
    pub(crate) python: Python,
    uv_cache: PathBuf,
    nowhere: PathBuf,
    index: Option<String>,
}

impl Tools {
    /// Those of the cache; fetched where they are missing.
    pub(crate) fn obtain(cache: &Cache, progress: &dyn Progress) -> Result<Self, Error> {
        let digest = format!("{:x}", Sha256::digest(PINS));
        let place = cache.directory("tools/v1")?.join(&digest[..16]);
        let works = |root: &Path| python_runs(root) && root.join("bin/uv").is_file();
        let slot = Slot::obtain(&place, works, |root| {
            progress.step("fetching uv");
            make(root)
        })?;
        let python = Python {
            executable: slot.facts.get("executable").into_iter().collect(),
            prefix: slot.facts.get("prefix").into_iter().collect(),
        };
        let index = pip_index(&slot)?;
        Ok(Self {
            slot,
            python,
            uv_cache: cache.directory("uv")?,
            nowhere: cache.directory("nowhere")?,
            index,
        })
    }

    /// A call of uv. It reads the user's settings for package indexes, and no project's.
    pub(crate) fn uv(&self) -> Invocation {
        let uv = network(Invocation::new(self.slot.root.join("bin/uv")))
            .cwd(&self.nowhere)
            .env("UV_CACHE_DIR", &self.uv_cache)
            .env("UV_NO_PROGRESS", "1")
            .env("UV_PYTHON_DOWNLOADS", "never")
            .env("NO_COLOR", "1")
            .timeout(Duration::from_mins(20));
        match &self.index {
            Some(index) => uv.env("UV_DEFAULT_INDEX", index),
            None => uv,
        }
    }

    /// A script that may use pip's library, with the network.
    pub(crate) fn script(&self, script: &str) -> Invocation {
        network(Invocation::new(self.slot.root.join("bin/python")))
            .cwd(&self.nowhere)
            .args(["-I", "-"])
            .stdin(script)
            .env("PIP_NO_INPUT", "1")
            .timeout(Duration::from_mins(20))
    }

    /// Where the environment of pip and uv is, with pip's library in it.
    pub(crate) fn root(&self) -> &Path {
        &self.slot.root
    }
}

/// Lets through what is needed to reach the package index that the user configured.
fn network(invocation: Invocation) -> Invocation {
    invocation
        .pass(Variables::Network)
        .pass(Variables::PackageIndex)
}

fn make(root: &Path) -> Result<Facts, Error> {
    let python = Python::find()?;
    Invocation::new(&python.executable)
        .args([
            OsStr::new("-I"),
            "-m".as_ref(),
            "venv".as_ref(),
            root.as_os_str(),
        ])
        .timeout(Duration::from_mins(5))
        .run()
        .map_err(|error| match error {
            ExecError::Failed { stderr, .. } => Error::NoVenv {
                python: python.executable.clone(),
                reason: stderr,
            },
            other => other.into(),
        })?;
    network(Invocation::new(root.join("bin/python")))
        .args(["-I", "-m", "pip", "install", "--quiet", "--no-input"])
        .args([
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
        ])
        .args(["--only-binary", ":all:", "--requirement", "/dev/stdin"])
        .stdin(PINS)
        .timeout(Duration::from_mins(20))
        .run()?;
    let text = |path: &Path| path.display().to_string();
    Ok(Facts::from([
        ("executable".to_owned(), text(&python.executable)),
        ("prefix".to_owned(), text(&python.prefix)),
    ]))
}

/// The index that pip's configuration or variables name, for uv, which does not read them; nothing
/// where pip has no other than its own default. uv's own variables come first.
fn pip_index(slot: &Slot) -> Result<Option<String>, Error> {
    let script = "\
import os
from pip._internal.configuration import Configuration
from pip._internal.exceptions import ConfigurationError
configuration = Configuration(isolated=False)
configuration.load()
try:
    configured = configuration.get_value('global.index-url')
except ConfigurationError:
    configured = None
named = any(os.environ.get(key) for key in ('UV_DEFAULT_INDEX', 'UV_INDEX_URL'))
print('' if named else os.environ.get('PIP_INDEX_URL') or configured or '')
";
    let text = network(Invocation::new(slot.root.join("bin/python")))
        .args(["-I", "-c", script])
        .timeout(Duration::from_mins(1))
        .run()?
        .text()?;
    let url = text.trim();
    Ok((!url.is_empty()).then(|| url.to_owned()))
}
