//! What an installed distribution holds, asked of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use fs_err as fs;
use grove_exec::Invocation;
use serde::Deserialize;

use crate::cache::Cache;
use crate::environment::Environment;
use crate::error::Error;
use crate::install::limits;

/// The script that asks.
const INSPECT: &str = include_str!("../../../../worker/inspect_distribution.py");

/// The script's answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Inspection {
    /// Tutor's version.
    pub(crate) tutor: String,
    /// The secrets that Tutor itself declares.
    pub(crate) secrets: Vec<String>,
    /// By the name that Tutor calls them.
    pub(crate) plugins: BTreeMap<String, Plugin>,
}

/// A plugin in the answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Plugin {
    pub(crate) package: String,
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) secrets: Vec<String>,
    /// The end of the traceback, where it does not load.
    #[serde(default)]
    error: String,
}

/// Asks an environment what it holds; every plugin in it is loaded once, confined.
pub(crate) fn inspect(environment: &Environment, cache: &Cache) -> Result<Inspection, Error> {
    let work = cache.scratch()?;
    let result = work.path().join("result.json");
    let write = vec![work.path().to_owned()];
    Invocation::new(&environment.python)
        .args(["-I", "-"])
        .arg(&result)
        .stdin(INSPECT)
        .cwd(work.path())
        .sandbox(limits(cache, environment.read.clone(), write))
        .env("HOME", work.path())
        .env("TMPDIR", work.path())
        .env("TUTOR_PLUGINS_ROOT", work.path().join("plugins"))
        .timeout(Duration::from_mins(5))
        .run()?;
    let found: Inspection =
        serde_json::from_slice(&fs::read(&result)?).map_err(|error| Error::Answer {
            script: "inspect_distribution.py",
            reason: error.to_string(),
        })?;
    for (name, plugin) in &found.plugins {
        if !plugin.error.is_empty() {
            return Err(Error::PluginFails {
                plugin: name.clone(),
                package: plugin.package.clone(),
                reason: plugin.error.trim().to_owned(),
            });
        }
    }
    Ok(found)
}
