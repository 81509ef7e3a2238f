//! `grove demo`: the main path on the example fleet.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use grove_operations::{
    Around,
    check::{self as checks, Counts},
    consent::Consent,
    deploy::{plan, request::Request},
    fleet::{explain as explanations, selection::Selection},
    release::{
        difference, follow,
        history::{self as histories},
        rollback as rollbacks,
    },
    render::directory,
    request::Target,
    shared::{bootstrap, bundle as bundles},
    status::{gather::Asking, now},
};
use include_dir::{Dir, include_dir};

use super::{bundle, check, cluster, deploy, diff, explain, history, render, rollback, status};
use crate::{
    around,
    error::{Error, Exit, Kind, Result},
    global::Global,
    output::Output,
    surroundings,
    terminal::{self, Agreed},
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

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let started = Instant::now();
    let root = root(arguments)?;
    let fleet = root.join("fleet");
    let global = Global {
        fleet: Some(fleet.clone()),
        rev: None,
        ..global.clone()
    };
    let demo = Demo {
        output,
        around: around::of(&global, output, &[])?,
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
    demo.check()?;
    demo.explain("alpha/uni", "config.CONTACT_EMAIL")?;

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
        let rendered = root.join("rendered");
        demo.render(&rendered)?;
        demo.look(&format!(
            "plain YAML, one object a file, in {}",
            rendered.display()
        ));

        demo.title("Deploy: sealed, released, one commit a cluster");
        demo.deploy(&Deploy {
            create_remote: true,
            ..Deploy::of("--all", 5, "First release")
        })?;
        demo.look(&format!(
            "git -C {} log --stat deploy/alpha",
            root.join("deploy-alpha.git").display()
        ));

        demo.title("A change: one line in Git");
        demo.rename()?;
        demo.diff("alpha/uni")?;

        demo.title("Deploy again: only what changed is written");
        demo.deploy(&Deploy::of("--all", 5, "Rename the university"))?;

        demo.title("Roll back: nothing is built, and the instance is held");
        demo.rollback("alpha/uni", false)?;
        demo.history("alpha/uni")
    }

    /// Starts a control plane, and deploys to it.
    fn on_a_cluster(mut self, root: &Path) -> Result<()> {
        self.title(
            "A cluster: the real API server, Argo CD and Sealed Secrets; pods are simulated",
        );
        let cache = self.around.cache_directory()?.join("programs-v1");
        let options = grove_control_plane::Options {
            name: "alpha".to_owned(),
            directory: root.join("control-plane"),
            cache: cache.clone(),
            install: grove_control_plane::Install::CertManager,
        };
        let plane =
            grove_control_plane::ControlPlane::start(&options, &|text| self.output.progress(text))
                .map_err(|error| failed(&error))?;
        self.output.progress_done();
        self.look(&format!(
            "export KUBECONFIG={}",
            plane.kubeconfig().display()
        ));
        let bundle = root.join("bundle");
        grove_control_plane::fill_bundle(&grove_control_plane::Programs::new(&cache), &bundle)
            .map_err(|error| failed(&error))?;
        self.pull(&bundle)?;
        self.around.kubeconfigs = vec![plane.kubeconfig().clone()];

        self.title("Bootstrap: from an empty API server to one that deploys by itself");
        self.bootstrap("alpha")?;
        self.commit("Which cluster alpha is")?;

        self.title("Deploy, and wait until Argo CD says Synced and Healthy");
        let deploy = |message| Deploy {
            create_remote: true,
            wait: true,
            ..Deploy::of("alpha", 2, message)
        };
        self.deploy(&deploy("First release"))?;
        self.status("alpha")?;

        self.title("A change of one line, then back to the release before");
        self.rename()?;
        self.deploy(&deploy("Rename the university"))?;
        self.rollback("alpha/uni", true)?;
        self.status("alpha")?;
        self.look("cargo xtask control-plane up starts one that stays: docs/try-it-for-real.md");
        Ok(())
    }

    /// The change that is shown.
    fn rename(&self) -> Result<()> {
        self.edit(
            "clusters/alpha/instances/uni/instance.yaml",
            "PLATFORM_NAME: Example University",
            "PLATFORM_NAME: University of Examples",
        )?;
        self.commit("Rename the university")
    }
}

/// How many seconds releases are followed: what `--wait` waits.
const PATIENCE: u64 = 900;

/// A deploy that is shown.
struct Deploy<'a> {
    /// A cluster, or `--all`.
    selection: &'a str,
    expect: usize,
    message: &'a str,
    create_remote: bool,
    wait: bool,
}

impl<'a> Deploy<'a> {
    fn of(selection: &'a str, expect: usize, message: &'a str) -> Self {
        Self {
            selection,
            expect,
            message,
            create_remote: false,
            wait: false,
        }
    }
}

/// The steps, each shown as the command that does the same.
impl Demo<'_> {
    fn check(&self) -> Result<()> {
        self.grove(&["check"], || {
            let outcome = checks::read(&self.around, &checks::Request::default())?;
            check::show(&outcome, self.output)?;
            let Counts { errors, .. } = outcome.summary;
            Ok(Exit::from((errors > 0).then_some(Kind::No)))
        })
    }

    fn explain(&self, instance: &str, path: &str) -> Result<()> {
        self.grove(&["explain", instance, path], || {
            let request = explanations::Request {
                revision: None,
                instance: instance.to_owned(),
                path: path.to_owned(),
            };
            explain::show(&explanations::read(&self.around, &request)?, self.output)?;
            Ok(Exit::Done)
        })
    }

    fn render(&self, out: &Path) -> Result<()> {
        self.grove(&["render", "--out", &out.display().to_string()], || {
            let request = directory::Request::default();
            let outcome = directory::write(&self.around, &request, out)?;
            render::show(outcome, self.output)?;
            Ok(Exit::Done)
        })
    }

    fn diff(&self, instance: &str) -> Result<()> {
        self.grove(&["diff", instance], || {
            let request = difference::Request {
                revision: None,
                selection: Selection::of(instance),
            };
            diff::show(
                &difference::read(&self.around, &request)?,
                false,
                self.output,
            )?;
            Ok(Exit::Done)
        })
    }

    fn deploy(&self, shown: &Deploy<'_>) -> Result<()> {
        let expect = shown.expect.to_string();
        let kubeconfig = self.kubeconfig();
        let mut words = vec!["deploy", shown.selection];
        words.extend(shown.create_remote.then_some("--create-remote"));
        words.extend(["--expect", &expect]);
        if shown.wait {
            words.extend(["--wait", "--kubeconfig", &kubeconfig]);
        }
        words.extend(["-m", shown.message]);
        let selection = match shown.selection {
            "--all" => Selection {
                all: true,
                ..Selection::default()
            },
            selector => Selection::of(selector),
        };
        let request = Request {
            message: Some(shown.message.to_owned()),
            create_remote: shown.create_remote,
            wait: shown.wait.then_some(PATIENCE),
            ..Request::new(Target {
                revision: None,
                selection,
                expect: Some(shown.expect),
            })
        };
        // What an earlier demo in this place left in the cache says nothing of this one.
        let agreed = Agreed {
            first_release: shown.create_remote,
            ..Agreed::default()
        };
        self.grove(&words, || {
            if request.create_remote {
                plan::create_remotes(&self.around, &request)?;
            }
            deploy::carry_out(plan::plan(&self.around, &request)?, &agreed, self.output)
        })
    }

    fn rollback(&self, instance: &str, wait: bool) -> Result<()> {
        let kubeconfig = self.kubeconfig();
        let mut words = vec!["rollback", instance];
        if wait {
            words.extend(["--wait", "--kubeconfig", &kubeconfig]);
        }
        self.grove(&words, || {
            let request = rollbacks::Request {
                id: surroundings::request_id(),
                revision: None,
                instance: instance.to_owned(),
                from: None,
                to: None,
                message: None,
                wait: wait.then_some(PATIENCE),
            };
            let plan = rollbacks::plan(&self.around, &request)?;
            let consent = terminal::consent(plan.needs(), self.output)?;
            let outcome = plan.carry_out(&consent)?;
            rollback::show(&outcome, self.output)?;
            Ok(follow::verdict(&outcome.waits).into())
        })
    }

    fn history(&self, instance: &str) -> Result<()> {
        self.grove(&["history", instance], || {
            let request = histories::Request {
                revision: None,
                selection: Selection::of(instance),
                limit: 10,
                runs: false,
            };
            history::show(histories::read(&self.around, &request)?, self.output)?;
            Ok(Exit::Done)
        })
    }

    fn pull(&self, from: &Path) -> Result<()> {
        let words = ["bundle", "pull", "--from", &from.display().to_string()];
        self.grove(&words, || {
            let request = bundles::Request::default();
            let outcome = bundles::pull(&self.around, &request, None, Some(from))?;
            bundle::show(&outcome, self.output)?;
            Ok(Exit::Done)
        })
    }

    fn bootstrap(&self, cluster: &str) -> Result<()> {
        let kubeconfig = self.kubeconfig();
        let words = ["cluster", "bootstrap", cluster, "--kubeconfig", &kubeconfig];
        self.grove(&words, || {
            let request = bootstrap::Request {
                id: surroundings::request_id(),
                cluster: cluster.to_owned(),
                revision: None,
                timeout: PATIENCE,
                take_over: false,
            };
            let plan = bootstrap::plan(&self.around, &request, None)?;
            let outcome = plan.carry_out(&Consent::none())?;
            cluster::bootstrap::show(&outcome, self.output)?;
            Ok(follow::verdict(&outcome.waits).into())
        })
    }

    fn status(&self, cluster: &str) -> Result<()> {
        let words = ["status", cluster, "--kubeconfig", &self.kubeconfig()];
        self.grove(&words, || {
            let request = Asking {
                revision: None,
                selection: Selection::of(cluster),
                timeout: 10,
            };
            status::show(&now::read(&self.around, &request)?, self.output)?;
            Ok(Exit::Done)
        })
    }

    /// How the cluster is reached, as it is shown.
    fn kubeconfig(&self) -> String {
        let file = self.around.kubeconfigs.first();
        file.map(|file| file.display().to_string())
            .unwrap_or_default()
    }
}

fn failed(error: &grove_control_plane::Error) -> Error {
    Error::from_error(Kind::Tool, error)
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
            Error::refused(format!("`{}` is not empty", directory.display()))
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
    around: Around,
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

    /// Shows a command of Grove's, does what it does, and says how long it took.
    fn grove(&self, arguments: &[&str], run: impl FnOnce() -> Result) -> Result<()> {
        let style = anstyle::AnsiColor::Cyan.on_default();
        let line: Vec<String> = arguments.iter().map(|word| shown(word)).collect();
        self.output
            .note(&format!("{style}$ grove {}{style:#}", line.join(" ")));
        let started = Instant::now();
        let exit = run()?;
        self.output.progress_done();
        self.output
            .note(&format!("  ({:.1} s)", started.elapsed().as_secs_f64()));
        match exit {
            Exit::Done => Ok(()),
            Exit::Kind(kind) => Err(Error::new(
                kind,
                format!("`grove {}` failed", arguments.join(" ")),
            )),
            Exit::Command(_) => Err(Error::new(Kind::Bug, "no step runs a command")),
        }
    }

    /// Replaces text in a file of the fleet, which must have it.
    fn edit(&self, path: &str, from: &str, to: &str) -> Result<()> {
        let path = self.fleet.join(path);
        let text = fs_err::read_to_string(&path)?;
        if !text.contains(from) {
            return Err(Error::new(
                Kind::Bug,
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
