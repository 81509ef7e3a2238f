//! Asking Git and the clusters what should run and what runs: what `status` and `watch` share.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    time::Duration,
};

use futures_util::future::join_all;
use grove_fleet::{
    Address, Fleet,
    model::{Cluster, Instance},
};
use grove_release::{DeployBranch, Id};
use grove_watch::{Freeze, Observation, Released, Status, Wanted, fold, observe};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Around, Doing, Error, Kind, Result,
    fleet::{selection::Selection, workspace::Workspace},
    release::remotes,
    stacks::all as stacks,
    threads,
};

/// What is asked, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Asking {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Which instances are asked about; all of them where nothing is said.
    pub selection: Selection,
    /// How long a cluster may take to answer, in seconds.
    pub timeout: u64,
}

impl Asking {
    /// How long a cluster may take to answer.
    pub fn limit(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

/// How many deploy branches are fetched at once.
pub(super) const AT_ONCE: usize = 8;

/// What a cluster says, or why it says nothing.
pub type Observed = std::result::Result<Observation, String>;

/// What is asked about.
pub struct Scope<'a> {
    pub(super) asking: &'a Asking,
    workspace: &'a Workspace<'a>,
    fleet: &'a Fleet,
    instances: Vec<&'a Instance>,
    /// Whether nothing was selected: instances that are gone from the fleet are shown too.
    everything: bool,
    /// The clusters of the selection.
    pub clusters: Vec<&'a Cluster>,
}

impl<'a> Scope<'a> {
    /// Chooses from the fleet what is asked about.
    pub fn new(asking: &'a Asking, workspace: &'a Workspace<'a>, fleet: &'a Fleet) -> Result<Self> {
        let instances = asking.selection.select(fleet)?;
        let everything = asking.selection.is_everything();
        let selected: BTreeSet<&str> = instances
            .iter()
            .map(|instance| instance.address.cluster.as_str())
            .collect();
        let clusters = fleet
            .clusters
            .values()
            .filter(|cluster| everything || selected.contains(cluster.name.as_str()))
            .collect();
        Ok(Self {
            asking,
            workspace,
            fleet,
            instances,
            everything,
            clusters,
        })
    }

    /// What is around.
    pub(super) fn around(&self) -> &'a Around {
        self.workspace.around
    }

    /// The clusters' names, for people.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.clusters.iter().map(|c| c.name.as_str()).collect();
        names.join(", ")
    }

    /// Asks Git and the clusters once, at the same time.
    pub fn gather(&self) -> Result<Status> {
        let around = self.around();
        around.doing(Doing::Asking {
            clusters: &self.names(),
        });
        let (branches, observed) = threads::both(
            || -> Result<Vec<GitSide>> {
                let clusters = self.clusters.clone();
                threads::each(AT_ONCE, clusters, |cluster| {
                    GitSide::read(self, cluster, self.branch(cluster))
                })
                .into_iter()
                .collect()
            },
            || around.block_on(async { Ok(self.observe().await) }),
        );
        around.progress_done();
        let observed = observed?;
        let mut wanted = BTreeMap::new();
        for (cluster, mut side) in self.clusters.iter().zip(branches?) {
            side.see(observed.get(&cluster.name))?;
            wanted.insert(cluster.name.clone(), side.wanted);
        }
        Ok(fold(around.now(), &wanted, &observed))
    }

    /// The deploy branch of a cluster, fetched.
    pub fn branch(&self, cluster: &Cluster) -> Result<DeployBranch> {
        remotes::fetch(self.workspace, self.fleet, &cluster.name)
    }

    /// Every cluster at once, each within its own time.
    async fn observe(&self) -> BTreeMap<String, Observed> {
        let limit = self.asking.limit();
        let all = self.clusters.iter().map(|cluster| async move {
            let asked = async {
                let connection = self.around().connect(cluster).await?;
                Ok::<_, Error>(observe(&connection, &cluster.argocd_namespace).await?)
            };
            let result = match tokio::time::timeout(limit, asked).await {
                Ok(result) => result.map_err(|error| error.to_string()),
                Err(_) => Err(format!("it did not answer within {} s", limit.as_secs())),
            };
            (cluster.name.clone(), result)
        });
        join_all(all).await.into_iter().collect()
    }
}

/// What Git says of one cluster.
pub struct GitSide {
    /// What is wanted; [`Released::seen`] is known after [`GitSide::see`].
    pub wanted: Wanted,
    branch: Option<DeployBranch>,
}

impl GitSide {
    /// Reads the newest release of each instance.
    pub fn read(
        scope: &Scope<'_>,
        cluster: &Cluster,
        branch: Result<DeployBranch>,
    ) -> Result<Self> {
        let mut wanted = of_fleet(scope, cluster);
        wanted.stacks = stacks::rows(scope.workspace, scope.fleet, &cluster.name)?;
        let branch = match branch {
            Ok(branch) => branch,
            Err(error) if error.kind == Kind::Ended => return Err(error),
            Err(error) => {
                wanted.problem = Some(error.to_string());
                return Ok(Self {
                    wanted,
                    branch: None,
                });
            }
        };
        // What can be read is shown nevertheless.
        wanted.problem = remotes::trouble(&branch)?;
        let view = branch.view()?;
        if scope.everything {
            for name in view.instances()? {
                wanted.instances.entry(name).or_default();
            }
        }
        for (name, released) in &mut wanted.instances {
            if let Some(record) = view.latest(name)? {
                released.newest = Some((record.release, record.time));
                if let Some(identity) = record.identity {
                    released.namespace = identity.namespace;
                }
            }
            released.hold = view.hold(name)?.map(|hold| hold.reason);
            released.freeze = view.freeze(name)?.map(|freeze| Freeze {
                reason: freeze.reason,
                until: freeze.until,
                by: freeze.by,
                only_in_cluster: false,
            });
        }
        Ok(Self {
            wanted,
            branch: Some(branch),
        })
    }

    /// The branch's newest commit, where it could be read and has one.
    pub fn tip(&self) -> Option<Id> {
        self.branch.as_ref()?.tip()
    }

    /// Finds the release that Argo CD has seen of each instance. Gives a commit that it has seen and
    /// that is not known here, if there is one: the branch may have moved since it was read.
    pub fn see(&mut self, observed: Option<&Observed>) -> Result<Option<Id>> {
        let (Some(branch), Some(Ok(observation))) = (&self.branch, observed) else {
            return Ok(None);
        };
        // Most instances were last compared with one commit.
        let mut views = BTreeMap::new();
        let mut unknown = None;
        for (name, released) in &mut self.wanted.instances {
            released.seen = None;
            let application = Address::new(branch.cluster(), name).application();
            let Some(commit) = observation
                .applications
                .get(&application)
                .and_then(|application| application.revision.as_ref()?.parse::<Id>().ok())
            else {
                continue;
            };
            let view = match views.entry(commit) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(if branch.has_commit(commit)? {
                    Some(branch.view_at(commit)?)
                } else {
                    None
                }),
            };
            match view {
                Some(view) => released.seen = view.releases(name)?.first().copied(),
                None => unknown = Some(commit),
            }
        }
        Ok(unknown)
    }
}

/// What the fleet alone says of a cluster.
fn of_fleet(scope: &Scope<'_>, cluster: &Cluster) -> Wanted {
    let instances = scope
        .instances
        .iter()
        .filter(|instance| instance.address.cluster == cluster.name)
        .map(|instance| {
            let released = Released {
                namespace: instance.identity.namespace.clone(),
                in_fleet: true,
                ..Released::default()
            };
            (instance.address.instance.clone(), released)
        });
    Wanted {
        instances: instances.collect(),
        sealing_certificate: cluster.sealing.as_ref().and_then(|certificate| {
            let time = |seconds| Timestamp::from_second(seconds).ok();
            Some((time(certificate.not_before)?, time(certificate.not_after)?))
        }),
        stacks: BTreeMap::new(),
        problem: None,
    }
}
