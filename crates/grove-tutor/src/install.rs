//! Installing pinned packages, and what their programs may use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use grove_exec::Sandbox;

use crate::cache::Cache;
use crate::error::Error;
use crate::local::Local;
use crate::pins::{self, Pin};
use crate::tools::Tools;

/// Makes `root` a virtual environment that holds `pins`, those in `local` from there.
pub(crate) fn install(
    root: &Path,
    pins: &[Pin],
    local: &BTreeMap<String, Local>,
    tools: &Tools,
    cache: &Cache,
) -> Result<(), Error> {
    tools
        .uv()
        .args([
            "venv",
            "--quiet",
            "--no-project",
            "--allow-existing",
            "--python",
        ])
        .arg(&tools.python.executable)
        .arg(root)
        .run()?;
    let scratch = cache.scratch()?;
    let requirements = scratch.path().join("requirements.txt");
    let place = |pin: &Pin| {
        let wheel = local.get(&pins::normal(&pin.name))?;
        Some((wheel.url(), wheel.sha256.clone()))
    };
    fs::write(&requirements, pins::print(pins, place))?;
    tools
        .uv()
        .args([
            "pip",
            "sync",
            "--quiet",
            "--require-hashes",
            "--only-binary",
            ":all:",
        ])
        // Files of uv's cache are copied: through a link, damage here would be damage there.
        .args(["--link-mode", "copy", "--allow-empty-requirements"])
        .arg("--python")
        .arg(root.join("bin/python"))
        .arg(&requirements)
        .run()?;
    Ok(())
}

/// What a program of a package may use: no network, these files, and not without end.
pub(crate) fn limits(cache: &Cache, read: Vec<PathBuf>, write: Vec<PathBuf>) -> Sandbox {
    Sandbox {
        launcher: cache.launcher.clone(),
        read,
        write,
        memory: Some(4 << 30),
        cpu_seconds: Some(300),
        processes: Some(128),
        file_size: Some(1 << 30),
        ..Sandbox::default()
    }
}
