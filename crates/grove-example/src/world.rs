//! A fleet in memory with deploy branches in memory.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use grove_fleet::Snapshot;
use grove_operations::{
    Around, Branches, Instead, Recorder, Result,
    consent::Consent,
    deploy::{
        self,
        outcome::{Action, Outcome},
    },
    request::{RequestId, Target},
};
use grove_release::{Author, DeployBranch, Id, memory::MemoryRemote};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::fleet::{CLUSTERS, Plain, Site, files};

/// Deploy branches in memory.
struct Memory(BTreeMap<String, MemoryRemote>);

impl Branches for Memory {
    fn open(&self, cluster: &str) -> Result<DeployBranch> {
        Ok(DeployBranch::open_in_memory(&self.0[cluster], cluster)?)
    }
}

/// A fleet in memory with a deploy branch for each cluster.
#[expect(missing_debug_implementations, reason = "what it holds has none")]
pub struct World {
    directory: TempDir,
    branches: Arc<Memory>,
    /// What the fleet says.
    pub sites: Vec<Site>,
    /// What was heard.
    pub recorder: Arc<Recorder>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A fleet of one instance on the first cluster and two on the second one.
    pub fn new() -> Self {
        let remotes = CLUSTERS.map(|name| (name.to_owned(), MemoryRemote::new(name)));
        Self {
            directory: tempfile::tempdir().expect("a temporary directory can be made"),
            branches: Arc::new(Memory(remotes.into())),
            sites: ["alpha/uni", "beta/labs", "beta/library"]
                .map(Site::new)
                .into(),
            recorder: Arc::default(),
        }
    }

    /// With everything deployed once.
    pub fn deployed() -> Self {
        let world = Self::new();
        let outcome = world.deploy(Target::of("*/*")).expect("it can be deployed");
        assert!(
            outcome
                .instances
                .iter()
                .all(|row| row.action == Action::Released),
            "{outcome:?}"
        );
        world
    }

    /// What is around an operation now. The clock stands still.
    pub fn around(&self) -> Around {
        let mut snapshot = Snapshot::default();
        for (path, text) in files("example", "deploy-{cluster}.git", &self.sites) {
            snapshot = snapshot.with(&path, &text);
        }
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
        let here = self.directory.path();
        Around {
            author: Some(Author {
                name: "Ada".to_owned(),
                email: "ada@acme.example".to_owned(),
            }),
            instead: Instead {
                files: Some(Arc::new(snapshot)),
                branches: Some(Arc::clone(&self.branches) as Arc<dyn Branches>),
                renderer: Some(Arc::new(Plain)),
                ..Instead::default()
            },
            listener: Arc::clone(&self.recorder) as Arc<_>,
            ..Around::new(here, here, Path::new("/nonexistent"), now)
        }
    }

    /// From now on as on a machine that has seen no request: what is in deploy branches says what was done.
    pub fn forget(&self) {
        let kept = self.directory.path().join("requests");
        if kept.exists() {
            std::fs::remove_dir_all(kept).expect("the directory can be removed");
        }
    }

    /// The same with the fleet's files in a directory of its own, so that they can be written.
    pub fn on_disk(&self) -> Around {
        let mut around = self.around();
        let fleet = self.directory.path().join("fleet");
        for (path, text) in files("example", "deploy-{cluster}.git", &self.sites) {
            let path = fleet.join(path);
            let parent = path.parent().expect("it is below the fleet");
            std::fs::create_dir_all(parent).expect("a directory can be made");
            std::fs::write(path, text).expect("a file can be written");
        }
        around.fleet = Some(fleet);
        around.instead.files = None;
        around
    }

    /// A directory of its own.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What the fleet says of an instance.
    pub fn site(&mut self, address: &str) -> &mut Site {
        self.sites
            .iter_mut()
            .find(|site| site.address == address)
            .expect("the fleet has it")
    }

    /// The deploy branch of a cluster, as it is now.
    pub fn branch(&self, cluster: &str) -> DeployBranch {
        self.branches.0[cluster]
            .look(cluster)
            .expect("it is in memory")
    }

    /// Makes a cluster's branch another commit, or takes it away.
    pub fn force(&self, cluster: &str, commit: Option<Id>) {
        self.branches.0[cluster].force(cluster, commit);
    }

    /// The newest commits of both clusters.
    pub fn tips(&self) -> Vec<String> {
        let tips = CLUSTERS.iter().map(|cluster| self.branch(cluster).tip());
        tips.flatten().map(|tip| tip.to_string()).collect()
    }

    /// Deploys what the fleet says now, with consent to all that this needs.
    pub fn deploy(&self, target: Target) -> Result<Outcome> {
        let around = self.around();
        let plan = deploy::plan::plan(&around, &request(target))?;
        let consent = Consent::to(plan.needs().clone());
        plan.carry_out(&consent)
    }
}

/// A deploy of files that are in no repository.
pub fn request(target: Target) -> deploy::request::Request {
    deploy::request::Request {
        local: true,
        ..deploy::request::Request::new(target)
    }
}

/// What a request is called.
pub fn id(name: &str) -> RequestId {
    name.parse().expect("a name")
}
