//! `grove demo`: the main path on the example fleet.

use std::{path::PathBuf, time::Instant};

use clap::Parser as _;
use include_dir::{Dir, include_dir};

use crate::{
    cli::Cli,
    error::{CommandError, Exit, Result},
    output::Output,
};

static FLEET: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../examples/fleet");

/// Show the main path on an example: check, render, deploy, change, roll back.
///
/// Copies an example fleet with its keys to a directory of its own, deploys it to a repository
/// beside it, and says at each step what to look at. It needs no cluster and touches none. The
/// first run installs Tutor into the cache; later ones take seconds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove demo\n\
    \x20 grove demo --dir ~/grove-demo")]
pub(crate) struct Arguments {
    /// Where to put the fleet and its deploy repositories; must not exist or be empty.
    ///
    /// Default: a new directory among the system's temporary files.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let started = Instant::now();
    let root = root(arguments)?;
    let fleet = root.join("fleet");
    let demo = Demo {
        output,
        fleet: fleet.clone(),
    };

    demo.title(
        "A fleet: two clusters, five instances, Tutor 21 and 22, secrets encrypted with SOPS",
    );
    fs_err::create_dir_all(&fleet)?;
    FLEET.extract(&fleet)?;
    demo.edit(
        "grove.yaml",
        "../../target/example-deploy/{cluster}.git",
        "../deploy-{cluster}.git",
    )?;
    demo.git(&["init", "--quiet", "--initial-branch", "main"])?;
    demo.commit("The example fleet")?;
    demo.look(&format!("the fleet is in {}", fleet.display()));

    demo.title("Check: everything that can be known before rendering");
    demo.grove(&["check"])?;
    demo.grove(&["explain", "alpha/uni", "config.CONTACT_EMAIL"])?;

    demo.title("Render: the real Tutor, then typed passes; no secret is needed or written");
    demo.grove(&[
        "render",
        "--out",
        &root.join("rendered").display().to_string(),
    ])?;
    demo.look(&format!(
        "plain YAML, one object a file, in {}",
        root.join("rendered").display()
    ));

    demo.title("Deploy: sealed, released, one commit a cluster");
    demo.grove(&[
        "deploy",
        "--all",
        "--create-remote",
        "--expect",
        "5",
        "-m",
        "First release",
    ])?;
    demo.look(&format!(
        "git -C {} log --stat deploy/alpha",
        root.join("deploy-alpha.git").display()
    ));

    demo.title("A change: one line in Git");
    demo.edit(
        "clusters/alpha/instances/uni/instance.yaml",
        "PLATFORM_NAME: Example University",
        "PLATFORM_NAME: University of Examples",
    )?;
    demo.commit("Rename the university")?;
    demo.grove(&["diff", "alpha/uni"])?;

    demo.title("Deploy again: only what changed is written");
    demo.grove(&[
        "deploy",
        "--all",
        "--expect",
        "5",
        "-m",
        "Rename the university",
    ])?;

    demo.title("Roll back: nothing is built, and the instance is held");
    demo.grove(&["rollback", "alpha/uni"])?;
    demo.grove(&["history", "alpha/uni"])?;

    output.note(&format!(
        "\nDone in {:.1} s. Everything is in {}; remove it when you have seen enough.",
        started.elapsed().as_secs_f64(),
        root.display()
    ));
    Ok(Exit::Done)
}

/// The directory of this run: made, and empty.
fn root(arguments: &Arguments) -> Result<PathBuf> {
    let Some(directory) = &arguments.dir else {
        return Ok(tempfile::Builder::new()
            .prefix("grove-demo-")
            .tempdir()?
            .keep());
    };
    fs_err::create_dir_all(directory)?;
    if fs_err::read_dir(directory)?.next().is_some() {
        return Err(
            CommandError::refused(format!("`{}` is not empty", directory.display()))
                .hint("name a directory that does not exist yet"),
        );
    }
    Ok(fs_err::canonicalize(directory)?)
}

/// A word of a command line as one would type it.
fn shown(word: &str) -> String {
    if word.contains(' ') {
        format!("'{word}'")
    } else {
        word.to_owned()
    }
}

struct Demo<'a> {
    output: &'a Output,
    fleet: PathBuf,
}

impl Demo<'_> {
    fn title(&self, text: &str) {
        let style = anstyle::Style::new().bold();
        self.output.note(&format!("\n{style}{text}{style:#}"));
    }

    fn look(&self, text: &str) {
        self.output.note(&format!("  → {text}"));
    }

    /// Runs a command of Grove's on the demo's fleet and says how long it took.
    fn grove(&self, arguments: &[&str]) -> Result<()> {
        let style = anstyle::AnsiColor::Cyan.on_default();
        let line: Vec<String> = arguments.iter().map(|word| shown(word)).collect();
        self.output
            .note(&format!("{style}$ grove {}{style:#}", line.join(" ")));
        let started = Instant::now();
        let fleet = self.fleet.display().to_string();
        let words = ["grove", "--fleet", &fleet]
            .into_iter()
            .chain(arguments.iter().copied());
        let cli = Cli::try_parse_from(words)
            .map_err(|error| CommandError::new(Exit::Bug, error.to_string()))?;
        let exit = super::run(&cli, self.output)?;
        self.output.progress_done();
        self.output
            .note(&format!("  ({:.1} s)", started.elapsed().as_secs_f64()));
        match exit {
            Exit::Done => Ok(()),
            exit => Err(CommandError::new(
                exit,
                format!("`grove {}` failed", arguments.join(" ")),
            )),
        }
    }

    /// Replaces text in a file of the fleet, which must have it.
    fn edit(&self, path: &str, from: &str, to: &str) -> Result<()> {
        let path = self.fleet.join(path);
        let text = fs_err::read_to_string(&path)?;
        if !text.contains(from) {
            return Err(CommandError::new(
                Exit::Bug,
                format!("`{}` lacks {from}", path.display()),
            ));
        }
        Ok(fs_err::write(&path, text.replace(from, to))?)
    }

    fn commit(&self, message: &str) -> Result<()> {
        self.git(&["add", "--all"])?;
        self.git(&[
            "-c",
            "user.name=Grove demo",
            "-c",
            "user.email=demo@grove.invalid",
            "-c",
            "commit.gpgsign=false",
            "commit",
            "--quiet",
            "--message",
            message,
        ])
    }

    fn git(&self, arguments: &[&str]) -> Result<()> {
        grove_exec::Invocation::new("git")
            .args(arguments)
            .cwd(&self.fleet)
            .run()?;
        Ok(())
    }
}
