//! Control planes, fleets and deploy repositories for benchmarks of what runs in clusters.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;
use grove_control_plane::{ControlPlane, Install, Options};

use crate::{context::Context, control_plane, process};

/// A fleet in a directory of its own, and the control planes of its clusters.
pub(super) struct Field {
    pub(super) planes: Vec<ControlPlane>,
    pub(super) root: PathBuf,
    grove: PathBuf,
    _directory: tempfile::TempDir,
}

impl Field {
    /// Starts a control plane for each cluster of a fleet that `write` makes.
    pub(super) fn new(
        context: &Context,
        grove: &Path,
        clusters: &[&str],
        write: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let root = directory.path().join("fleet");
        write(&root)?;
        let mut planes = Vec::new();
        for name in clusters {
            let options = Options {
                name: (*name).to_owned(),
                directory: directory.path().join("planes").join(name),
                cache: control_plane::programs(context),
                install: Install::CertManager,
            };
            planes.push(ControlPlane::start(&options, &|text| {
                println!("{name}: {text}");
            })?);
        }
        let field = Self {
            planes,
            root,
            grove: grove.to_owned(),
            _directory: directory,
        };
        field.git(&["init", "-q"])?;
        field.commit("A fleet")?;
        Ok(field)
    }

    /// `grove` with its arguments, on this fleet and these clusters.
    pub(super) fn grove(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.grove);
        command
            .arg("--fleet")
            .arg(&self.root)
            .args(arguments)
            .env("KUBECONFIG", self.kubeconfigs());
        command
    }

    fn kubeconfigs(&self) -> OsString {
        let paths = self.planes.iter().map(ControlPlane::kubeconfig);
        std::env::join_paths(paths).unwrap_or_default()
    }

    /// The deploy repository of a cluster.
    pub(super) fn deploy_repository(&self, cluster: &str) -> PathBuf {
        self.root.with_file_name(format!("deploy-{cluster}.git"))
    }

    /// Where the fleet says that deploy repositories are.
    pub(super) fn deploy_remote(&self) -> String {
        format!("file://{}", self.deploy_repository("{cluster}").display())
    }

    /// `kubectl` for a cluster.
    pub(super) fn kubectl(&self, cluster: usize, arguments: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        if let Some(plane) = self.planes.get(cluster) {
            command.arg("--kubeconfig").arg(plane.kubeconfig());
        }
        command.args(arguments);
        command
    }

    pub(super) fn commit(&self, message: &str) -> Result<()> {
        self.git(&["add", "-A"])?;
        self.git(&["commit", "-q", "--allow-empty", "-m", message])
    }

    fn git(&self, arguments: &[&str]) -> Result<()> {
        let who = ["-c", "user.name=Bench", "-c", "user.email=bench@localhost"];
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.root).args(who).args(arguments);
        process::read(&mut command).map(drop)
    }
}
