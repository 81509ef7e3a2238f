//! `grove demo`: the main path on the example fleet.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Parser as _;
use include_dir::{Dir, include_dir};

use crate::{
    cli::Cli,
    error::{CommandError, Exit, Result, from_error},
    output::Output,
    surroundings,
};

from_error!(grove_control_plane::Error, |_| Exit::Tool);

static FLEET: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../examples/fleet");

/// Show the main path on an example: check, render, deploy, change, roll back.
///
/// Copies an example fleet with its keys to a directory of its own, deploys it to a repository
/// beside it, and says at each step what to look at. It needs no cluster and touches none. The
/// first run installs Tutor into the cache; later ones take seconds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove demo\n\
    \x20 grove demo --dir ~/grove-demo\n\
    \x20 grove demo --cluster")]
pub(crate) struct Arguments {
    /// Where to put the fleet and its deploy repositories; must not exist or be empty.
    ///
    /// Default: a new directory among the system's temporary files.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Deploy to a real control plane on this machine, with Argo CD: see it synced and healthy.
    ///
    /// Builds Kubernetes, Argo CD and others from their Go modules the first time, which takes some
    /// twenty minutes; needs Go and `redis-server`. Pods are simulated. All of it ends with the demo.
    #[arg(long)]
    cluster: bool,
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
    let remote = if arguments.cluster {
        // Argo CD reads it, from another directory.
        format!("file://{}/deploy-{{cluster}}.git", root.display())
    } else {
        "../deploy-{cluster}.git".to_owned()
    };
    demo.edit(
        "grove.yaml",
        "../../target/example-deploy/{cluster}.git",
        &remote,
    )?;
    demo.git(&["init", "--quiet", "--initial-branch", "main"])?;
    demo.commit("The example fleet")?;
    demo.look(&format!("the fleet is in {}", fleet.display()));

    demo.title("Check: everything that can be known before rendering");
    demo.grove(&["check"])?;
    demo.grove(&["explain", "alpha/uni", "config.CONTACT_EMAIL"])?;

    if arguments.cluster {
        demo.on_a_cluster(&root)?;
    } else {
        demo.without_a_cluster(&root)?;
    }
    output.note(&format!(
        "\nDone in {:.1} s. Everything is in {}; remove it when you have seen enough.",
        started.elapsed().as_secs_f64(),
        root.display()
    ));
    Ok(Exit::Done)
}

impl Demo<'_> {
    /// Deploys to repositories, and shows what would be applied.
    fn without_a_cluster(&self, root: &Path) -> Result<()> {
        let demo = self;
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
        demo.grove(&["history", "alpha/uni"])
    }

    /// Starts a control plane, and deploys to it.
    fn on_a_cluster(&self, root: &Path) -> Result<()> {
        self.title(
            "A cluster: the real API server, Argo CD and Sealed Secrets; pods are simulated",
        );
        let cache = surroundings::cache_directory()?.join("programs-v1");
        let options = grove_control_plane::Options {
            name: "alpha".to_owned(),
            directory: root.join("control-plane"),
            cache: cache.clone(),
            install: grove_control_plane::Install::CertManager,
        };
        let plane =
            grove_control_plane::ControlPlane::start(&options, &|text| self.output.progress(text))?;
        self.output.progress_done();
        let kubeconfig = plane.kubeconfig().display().to_string();
        self.look(&format!("export KUBECONFIG={kubeconfig}"));
        let bundle = root.join("bundle");
        grove_control_plane::fill_bundle(&grove_control_plane::Programs::new(&cache), &bundle)?;
        self.grove(&["bundle", "pull", "--from", &bundle.display().to_string()])?;

        self.title("Bootstrap: from an empty API server to one that deploys by itself");
        self.grove(&["cluster", "bootstrap", "alpha", "--kubeconfig", &kubeconfig])?;
        self.commit("Which cluster alpha is")?;

        self.title("Deploy, and wait until Argo CD says Synced and Healthy");
        let deploy = |message: &str| {
            self.grove(&[
                "deploy",
                "alpha",
                "--create-remote",
                "--expect",
                "2",
                "--wait",
                "--kubeconfig",
                &kubeconfig,
                "-m",
                message,
            ])
        };
        deploy("First release")?;
        self.grove(&["status", "alpha", "--kubeconfig", &kubeconfig])?;

        self.title("A change of one line, then back to the release before");
        self.edit(
            "clusters/alpha/instances/uni/instance.yaml",
            "PLATFORM_NAME: Example University",
            "PLATFORM_NAME: University of Examples",
        )?;
        self.commit("Rename the university")?;
        deploy("Rename the university")?;
        self.grove(&[
            "rollback",
            "alpha/uni",
            "--wait",
            "--kubeconfig",
            &kubeconfig,
        ])?;
        self.grove(&["status", "alpha", "--kubeconfig", &kubeconfig])?;
        self.look("cargo xtask control-plane up starts one that stays: docs/try-it-for-real.md");
        Ok(())
    }
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
