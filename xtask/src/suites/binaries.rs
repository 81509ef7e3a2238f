//! The workspace's test binaries. They are built together, so that every suite runs the same code
//! with the same features and nothing is compiled twice; each suite then runs those it names.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::tally::Tally;
use crate::{context::Context, process};

/// A compiled test program.
#[derive(Debug)]
pub(crate) struct TestBinary {
    /// The package, as `grove-yaml`.
    pub(crate) package: String,
    pub(crate) kind: Kind,
    executable: PathBuf,
    /// The package's directory, in which its tests run.
    directory: PathBuf,
}

/// Where the tests of a binary stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In the crate's sources.
    Unit,
    /// Under `tests/`.
    Integration,
}

impl TestBinary {
    /// Runs it and adds its counts.
    pub(crate) fn run(
        &self,
        arguments: &[&str],
        variables: &[(&str, PathBuf)],
        tally: &mut Tally,
    ) -> Result<()> {
        let place = if self.kind == Kind::Unit {
            "sources"
        } else {
            "tests"
        };
        println!("\n--- {}, {place}", self.package);
        tally.watch(
            Command::new(&self.executable)
                .args(arguments)
                .current_dir(&self.directory)
                .env("CARGO_MANIFEST_DIR", &self.directory)
                .envs(variables.iter().map(|(name, value)| (name, value))),
        )
    }
}

/// Builds them all.
pub(crate) fn build(context: &Context) -> Result<Vec<TestBinary>> {
    println!("building the tests");
    let output = process::cargo(context)
        .args([
            "test",
            "--workspace",
            "--no-run",
            "--message-format=json-render-diagnostics",
        ])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be started")?;
    ensure!(output.status.success(), "the tests cannot be built");
    let mut binaries = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: Message = serde_json::from_str(line)
            .with_context(|| format!("cargo said what cannot be read: {line}"))?;
        binaries.extend(message.into_test_binary());
    }
    binaries.sort_by(|a, b| {
        let key = |binary: &TestBinary| (binary.kind as u8, binary.package.clone());
        key(a).cmp(&key(b))
    });
    Ok(binaries)
}

/// What cargo says of an artifact ("JSON messages" in its book).
#[derive(Deserialize)]
struct Message {
    reason: String,
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

impl Message {
    fn into_test_binary(self) -> Option<TestBinary> {
        if self.reason != "compiler-artifact" || !self.profile?.test {
            return None;
        }
        let directory = self.manifest_path?.parent()?.to_owned();
        let kind = if self.target?.kind.iter().any(|kind| kind == "test") {
            Kind::Integration
        } else {
            Kind::Unit
        };
        Some(TestBinary {
            // Every crate's directory has its package's name.
            package: directory.file_name()?.to_str()?.to_owned(),
            kind,
            executable: self.executable?,
            directory,
        })
    }
}
