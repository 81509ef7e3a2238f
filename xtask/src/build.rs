//! The workspace built for tests. All of it is built together, so that every suite runs the same
//! code with the same features and nothing is compiled twice; each suite then runs the tests that are
//! its own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::{
    context::Context,
    ignored::{self, Ignored},
    process,
    tally::Tally,
};

/// A compiled test program.
#[derive(Debug)]
pub(crate) struct TestBinary {
    /// The package, as `grove-yaml`.
    pub(crate) package: String,
    pub(crate) kind: Kind,
    /// The target: the crate, or the name of the file under `tests/`.
    pub(crate) name: String,
    /// Those of its tests that only a suite of their own runs.
    pub(crate) ignored: Vec<Ignored>,
    executable: PathBuf,
    /// The package's directory, in which its tests run.
    directory: PathBuf,
}

/// Where the tests of a binary stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// In the crate's sources.
    Unit,
    /// Under `tests/`.
    Integration,
}

impl TestBinary {
    /// The names of the tests that a suite of ignored tests runs.
    pub(crate) fn ignored_of(&self, suite: &str) -> impl Iterator<Item = &str> {
        let named = move |test: &&Ignored| test.suite.as_deref() == Some(suite);
        self.ignored
            .iter()
            .filter(named)
            .map(|test| test.name.as_str())
    }

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

/// What one build gave.
#[derive(Debug)]
pub(crate) struct Build {
    /// Unit tests first, each kind sorted by package.
    pub(crate) tests: Vec<TestBinary>,
    grove: Option<PathBuf>,
}

impl Build {
    /// Builds.
    pub(crate) fn run(context: &Context) -> Result<Self> {
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
        let mut build = Self {
            tests: Vec::new(),
            grove: None,
        };
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let message: Message = serde_json::from_str(line)
                .with_context(|| format!("cargo said what cannot be read: {line}"))?;
            build.add(message)?;
        }
        build
            .tests
            .sort_by(|a, b| (a.kind, &a.package).cmp(&(b.kind, &b.package)));
        Ok(build)
    }

    /// The `grove` binary that the tests of the command line run.
    pub(crate) fn grove(&self) -> Result<&Path> {
        self.grove
            .as_deref()
            .context("building the tests did not build `grove`")
    }

    fn add(&mut self, message: Message) -> Result<()> {
        let Message {
            executable,
            manifest_path,
            target,
            profile,
            ..
        } = message;
        let (Some(executable), Some(manifest), Some(target), Some(profile)) =
            (executable, manifest_path, target, profile)
        else {
            return Ok(());
        };
        let is = |kind: &str| target.kind.iter().any(|each| each == kind);
        // Every crate's directory has its package's name.
        let Some(directory) = manifest.parent() else {
            return Ok(());
        };
        let package = directory
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if profile.test {
            let kind = if is("test") {
                Kind::Integration
            } else {
                Kind::Unit
            };
            let directory = directory.to_owned();
            self.tests.push(TestBinary {
                package,
                kind,
                name: target.name,
                ignored: ignored::of(&executable)?,
                executable,
                directory,
            });
        } else if package == "grove" && is("bin") {
            self.grove = Some(executable);
        }
        Ok(())
    }
}

/// A line that cargo prints ("JSON messages" in its book); what is not of an artifact lacks these.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}
