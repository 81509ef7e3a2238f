//! From requirements to pins.

use grove_exec::ExecError;

use crate::error::Error;
use crate::tools::Tools;

/// The oldest Python that a lock fits. A lock holds for all later ones and every platform.
const OLDEST_PYTHON: &str = "3.10";

/// Resolves the lines of a requirements file to pins with hashes. Nothing is built for it: a
/// package without a wheel cannot be resolved.
pub(crate) fn compile(tools: &Tools, requirements: &str) -> Result<String, Error> {
    let outcome = tools
        .uv()
        .args([
            "pip",
            "compile",
            "--quiet",
            "--generate-hashes",
            "--universal",
        ])
        .args(["--python-version", OLDEST_PYTHON])
        // One version of each package for all, where there is one that fits all.
        .args(["--fork-strategy", "fewest"])
        .args(["--only-binary", ":all:", "--no-header", "--no-annotate"])
        .args(["--no-emit-index-url", "--no-emit-find-links", "--python"])
        .arg(tools.root().join("bin/python"))
        .arg("-")
        .stdin(requirements)
        .run()
        .map_err(|error| match error {
            ExecError::Failed { stderr, .. } => Error::Unresolved(stderr),
            other => other.into(),
        })?;
    Ok(outcome.text()?)
}
