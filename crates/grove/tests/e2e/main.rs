//! Tests on a real control plane: API server, controllers, Argo CD, Sealed Secrets.
#![expect(
    let_underscore_drop,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::unused_self,
    reason = "these are tests"
)]

mod bootstrap;
mod documented;
mod drift;
mod faults;
mod infrastructure;
mod instances;
mod operate;
#[path = "../it/peer.rs"]
mod peer;
#[path = "../it/provider.rs"]
mod provider;
mod secrets;
mod shared;
mod status;
mod sync;

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use grove_control_plane::{ControlPlane, Install, Options, Programs};
use grove_test::World;
use serde_json::Value;

/// The compiled command.
const GROVE: &str = env!("CARGO_BIN_EXE_grove");

/// A fleet of its own, and the control planes of its clusters.
struct Site {
    /// Ended before the directory goes in which their processes are known.
    planes: Vec<ControlPlane>,
    world: World,
}

impl Site {
    /// The example fleet, with an empty control plane for each of `clusters` and what bootstrap
    /// installs at hand.
    fn new(clusters: &[&str]) -> Self {
        Self::with(clusters, Install::CertManager)
    }

    /// The same, with what `install` says in the cluster already.
    fn with(clusters: &[&str], install: Install) -> Self {
        Self::of("fleet", clusters, install)
    }

    /// The same, with another fleet of `examples/`.
    fn of(example: &str, clusters: &[&str], install: Install) -> Self {
        let world = World::with_shared_cache(GROVE);
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        world.copy(&examples.join(example), "fleet");
        let file = world.read("fleet/grove.yaml");
        let remote = format!("file://{}/deploy-{{cluster}}.git", world.root().display());
        let (before, rest) = file.split_once("  remote: ").unwrap();
        let (_, after) = rest.split_once('\n').unwrap();
        let own = format!("{before}  remote: {remote}\n{after}");
        assert_ne!(file, own);
        world.write("fleet/grove.yaml", own);
        world.repository(&world.fleet()).commit("The example fleet");
        // What is waited for has to take its real time.
        for name in ["GROVE_TEST_NOW", "GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
            world.unset(name);
        }
        let planes: Vec<ControlPlane> = clusters
            .iter()
            .map(|name| plane(&world, name, install))
            .collect();
        let list: Vec<String> = planes
            .iter()
            .map(|plane| plane.kubeconfig().display().to_string())
            .collect();
        world.set("KUBECONFIG", list.join(":"));
        let bundle = world.path("bundle");
        grove_control_plane::fill_bundle(&Programs::new(&programs()), &bundle).unwrap();
        let site = Self { planes, world };
        site.pull(&[]);
        site
    }

    /// Brings install manifests: those of the bundle's defaults, where nothing more is said.
    fn pull(&self, more: &[&str]) {
        let bundle = self.world.path("bundle").display().to_string();
        let _ = self
            .world
            .grove(["bundle", "pull", "--from", &bundle].iter().chain(more))
            .success();
    }

    /// A site whose clusters are bootstrapped.
    fn bootstrapped(clusters: &[&str]) -> Self {
        let site = Self::new(clusters);
        for name in clusters {
            site.bootstrap(name);
        }
        site.commit("Which clusters these are");
        site
    }

    /// Bootstraps a cluster and makes its deploy repository.
    fn bootstrap(&self, cluster: &str) -> Value {
        self.json(&["cluster", "bootstrap", cluster])
    }

    /// Loses the only cluster and puts an empty one in its place, which the fleet does not know yet.
    fn lose(&mut self) {
        let name = self.planes[0].name().to_owned();
        self.planes.clear();
        self.planes
            .push(plane(&self.world, &name, Install::CertManager));
        self.world.set("KUBECONFIG", self.planes[0].kubeconfig());
    }

    /// Forgets which cluster a name means, as an operator does who has lost it.
    fn forget(&self, cluster: &str) {
        let file = format!("fleet/clusters/{cluster}/cluster.yaml");
        let text = self.world.read(&file);
        let (before, rest) = text.split_once("kubernetes:\n").unwrap();
        let after: Vec<&str> = rest
            .lines()
            .skip_while(|line| line.starts_with("  "))
            .collect();
        self.world
            .write(&file, format!("{before}{}\n", after.join("\n")));
    }

    /// Waits until an Application is there, synced and healthy.
    #[track_caller]
    fn until_healthy(&self, cluster: &str, application: &str) {
        self.until(150, &format!("{application} is healthy"), || {
            let words = [
                "get",
                "applications.argoproj.io",
                application,
                "-n",
                "argocd",
            ];
            self.try_kubectl(cluster, &words).status.success()
                && self.state(cluster, application) == "Synced/Healthy"
        });
    }

    fn commit(&self, message: &str) {
        self.world.open(&self.world.fleet()).commit(message);
    }

    /// Runs a command that must succeed, and gives its JSON.
    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self
            .world
            .grove(arguments.iter().copied().chain(["--format", "json"]))
            .success();
        serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}:\n{output}"))
    }

    /// Deploys and waits; it must become healthy.
    #[track_caller]
    fn deploy(&self, selection: &str, more: &[&str]) -> Value {
        let words = [
            "deploy",
            selection,
            "--create-remote",
            "--wait",
            "--timeout",
            "240",
        ];
        self.json(
            &words
                .into_iter()
                .chain(more.iter().copied())
                .collect::<Vec<_>>(),
        )
    }

    /// Replaces text in a file of the fleet, which must have it.
    #[track_caller]
    fn edit(&self, path: &str, from: &str, to: &str) {
        let path = format!("fleet/{path}");
        let text = self.world.read(&path);
        assert!(text.contains(from), "{path} lacks {from}:\n{text}");
        self.world.write(&path, text.replace(from, to));
    }

    fn plane(&self, cluster: &str) -> &ControlPlane {
        self.planes
            .iter()
            .find(|plane| plane.name() == cluster)
            .unwrap()
    }

    /// What `kubectl` prints; it must succeed.
    #[track_caller]
    fn kubectl(&self, cluster: &str, arguments: &[&str]) -> String {
        let output = self.try_kubectl(cluster, arguments);
        assert!(
            output.status.success(),
            "kubectl {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn try_kubectl(&self, cluster: &str, arguments: &[&str]) -> std::process::Output {
        Command::new("kubectl")
            .arg("--kubeconfig")
            .arg(self.plane(cluster).kubeconfig())
            .args(arguments)
            .output()
            .unwrap()
    }

    /// Objects of a kind, as JSON.
    #[track_caller]
    fn objects(&self, cluster: &str, kind: &str, namespace: &str) -> Vec<Value> {
        let text = self.kubectl(cluster, &["get", kind, "-n", namespace, "-o", "json"]);
        let list: Value = serde_json::from_str(&text).unwrap();
        list["items"].as_array().unwrap().clone()
    }

    /// `sync/health` of an Application.
    fn state(&self, cluster: &str, application: &str) -> String {
        let text = self.kubectl(
            cluster,
            &[
                "get",
                "applications.argoproj.io",
                application,
                "-n",
                "argocd",
                "-o",
                "json",
            ],
        );
        let value: Value = serde_json::from_str(&text).unwrap();
        let part = |pointer: &str| {
            value
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or("none")
                .to_owned()
        };
        format!(
            "{}/{}",
            part("/status/sync/status"),
            part("/status/health/status")
        )
    }

    /// Makes Argo CD compare an Application now: `normal`, or `hard` past what it has cached.
    #[track_caller]
    fn refresh(&self, cluster: &str, application: &str, how: &str) {
        let refresh = format!("argocd.argoproj.io/refresh={how}");
        let kind = "applications.argoproj.io";
        // One of `deploy` may still stand.
        let words = [
            "annotate",
            kind,
            application,
            "-n",
            "argocd",
            &refresh,
            "--overwrite",
        ];
        let _ = self.kubectl(cluster, &words);
    }

    /// Waits until something holds.
    #[track_caller]
    fn until(&self, seconds: u64, what: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(
                begun.elapsed() < Duration::from_secs(seconds),
                "{what} within {seconds} s"
            );
            std::thread::sleep(Duration::from_millis(300));
        }
    }
}

impl Drop for Site {
    /// Keeps the logs of a failing test, and says where.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let keep = std::env::var_os("GROVE_TEST_LOGS").map(PathBuf::from);
        for plane in &self.planes {
            let Some(keep) = &keep else { continue };
            let thread = std::thread::current();
            let test = thread.name().unwrap_or("test").replace("::", "-");
            let target = keep.join(format!("{test}-{}", plane.name()));
            std::fs::create_dir_all(&target).ok();
            for entry in std::fs::read_dir(plane.logs())
                .into_iter()
                .flatten()
                .flatten()
            {
                std::fs::copy(entry.path(), target.join(entry.file_name())).ok();
            }
            eprintln!("the logs of {} are in {}", plane.name(), target.display());
        }
    }
}

/// A control plane in a directory of the world.
fn plane(world: &World, name: &str, install: Install) -> ControlPlane {
    let options = Options {
        name: name.to_owned(),
        directory: world.path(format!("planes/{name}-{}", std::process::id())),
        cache: programs(),
        install,
    };
    ControlPlane::start(&options, &|text| eprintln!("{name}: {text}")).unwrap()
}

/// Where the suite keeps the built programs.
fn programs() -> PathBuf {
    PathBuf::from(
        std::env::var_os("GROVE_TEST_PROGRAMS").expect("GROVE_TEST_PROGRAMS is set by the suite"),
    )
}
