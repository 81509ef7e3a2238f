//! `cargo xtask control-plane`: real control planes that stay until they are ended.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use grove_control_plane::{ControlPlane, Install, Options};

use crate::context::Context;

/// Tasks of `cargo xtask control-plane`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Task {
    /// Start one; it stays until `down`. The first time builds every program, which takes minutes.
    Up {
        /// Its name, and that of its context.
        #[arg(long, default_value = "alpha")]
        name: String,
        /// What stands in it.
        #[arg(long, value_enum, default_value_t)]
        install: What,
    },
    /// End one and remove its data.
    Down {
        /// Its name.
        #[arg(long, default_value = "alpha", conflicts_with = "all")]
        name: String,
        /// End all.
        #[arg(long)]
        all: bool,
    },
    /// List those that were started.
    Status,
    /// Print the path of the kubeconfig of one.
    Kubeconfig {
        /// Its name.
        #[arg(long, default_value = "alpha")]
        name: String,
    },
    /// Build every program, and start nothing.
    Build,
    /// Fill a directory with what `grove bundle pull --from DIR` reads, from the pinned modules.
    Bundle {
        /// The directory.
        directory: PathBuf,
    },
    /// Play for one: what `up` leaves in the background.
    #[command(hide = true)]
    Play {
        /// The directory of the control plane.
        directory: PathBuf,
    },
}

/// What stands in a new control plane.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub(crate) enum What {
    /// Kubernetes alone.
    Nothing,
    /// The CRDs of cert-manager, too: what `grove cluster bootstrap` starts from.
    #[default]
    CertManager,
    /// Argo CD and Sealed Secrets, too, as their own manifests have them.
    ArgoCd,
}

/// Where built programs are kept.
pub(crate) fn programs(context: &Context) -> PathBuf {
    context.cache.join("tools")
}

pub(crate) fn run(context: &Context, task: &Task) -> Result<bool> {
    let planes = context.cache.join("control-planes");
    match task {
        Task::Up { name, install } => up(context, &planes, name, *install)?,
        Task::Down { name, all } => {
            for plane in if *all {
                names(&planes)?
            } else {
                vec![name.clone()]
            } {
                let directory = planes.join(&plane);
                ControlPlane::attach(&directory)?.stop();
                fs_err::remove_dir_all(&directory)?;
                println!("{plane}: ended");
            }
        }
        Task::Status => {
            for name in names(&planes)? {
                let plane = ControlPlane::attach(&planes.join(&name))?;
                println!("{name}: {}", plane.server());
                for (part, id) in plane.parts() {
                    let state = id.map_or("ended".to_owned(), |id| format!("process {id}"));
                    println!("  {part:<32} {state}");
                }
            }
        }
        Task::Kubeconfig { name } => {
            let plane = ControlPlane::attach(&planes.join(name))?;
            println!("{}", plane.kubeconfig().display());
        }
        Task::Build => build(context)?,
        Task::Bundle { directory } => {
            let programs = grove_control_plane::Programs::new(&programs(context));
            grove_control_plane::fill_bundle(&programs, directory)?;
        }
        Task::Play { directory } => grove_control_plane::play(directory)?,
    }
    Ok(true)
}

/// Builds every program of a control plane where the cache does not have it.
pub(crate) fn build(context: &Context) -> Result<()> {
    let programs = grove_control_plane::Programs::new(&programs(context));
    for program in grove_control_plane::ALL {
        if !programs.has(*program) {
            println!("building {} from its Go module", program.name);
        }
        programs.get(*program)?;
    }
    Ok(())
}

fn up(context: &Context, planes: &Path, name: &str, install: What) -> Result<()> {
    let directory = planes.join(name);
    if directory.exists() {
        bail!(
            "`{name}` was started already; `cargo xtask control-plane down --name {name}` ends it"
        );
    }
    let options = Options {
        name: name.to_owned(),
        directory: directory.clone(),
        cache: programs(context),
        install: match install {
            What::Nothing => Install::Nothing,
            What::CertManager => Install::CertManager,
            What::ArgoCd => Install::ArgoCd,
        },
    };
    let plane = ControlPlane::start(&options, &|text| println!("{text}"))?;
    let (kubeconfig, server) = (plane.kubeconfig(), plane.server());
    let mut player = Command::new(std::env::current_exe().context("no program of its own")?);
    player.args(["control-plane", "play"]).arg(&directory);
    plane.detach(&mut player)?;
    println!(
        "{name} is up at {server}\n\n  export KUBECONFIG={}",
        kubeconfig.display()
    );
    Ok(())
}

fn names(planes: &Path) -> Result<Vec<String>> {
    if !planes.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs_err::read_dir(planes)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
