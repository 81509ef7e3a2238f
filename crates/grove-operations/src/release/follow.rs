//! Following releases on their clusters until they run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};

use futures_util::future::join_all;
use grove_cluster::argo::{Ended, Follow, Relation, Target};
use grove_fleet::model::{Cluster, Instance};
use grove_release::{DeployBranch, Id, Remote, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::remotes;
use crate::{Around, Doing, Error, Kind, Result, reach::proven};

/// The root Application of what instances share.
const SHARED_ROOT: &str = "grove-cluster";

/// One Application to be followed: what of its commit says when it runs.
pub struct Release {
    cluster: String,
    /// What it is called for people.
    label: String,
    application: String,
    /// The Application that makes it.
    root: &'static str,
    namespace: String,
    /// The released commit, where it can be synced without a look before.
    commit: Option<String>,
    /// The source of the Application, where a release changes that, too.
    source: Option<Value>,
    remote: Remote,
    unit: Unit,
    /// Number and trees of the release.
    state: State,
    /// What commits are to this release, as far as they were looked at.
    known: Mutex<BTreeMap<String, Relation>>,
    /// Names of the Jobs that gate the release.
    jobs: BTreeSet<String>,
}

/// What of a deploy branch is released as a whole.
#[derive(Clone)]
enum Unit {
    /// An instance, by its name on the cluster.
    Instance(String),
    /// What instances share.
    Shared,
}

/// What a commit has of a unit: the number of its newest release, and the trees of its files.
#[derive(Clone, PartialEq)]
struct State {
    number: u32,
    trees: Vec<Option<Id>>,
}

impl Unit {
    fn state(&self, view: &View<'_>) -> Result<State> {
        let (number, paths) = match self {
            Self::Instance(name) => (
                view.releases(name)?.first().copied(),
                vec![format!("instances/{name}")],
            ),
            Self::Shared => (
                view.shared_latest()?.map(|record| record.release),
                vec!["cluster".to_owned(), "charts".to_owned()],
            ),
        };
        Ok(State {
            number: number.unwrap_or_default(),
            trees: paths
                .iter()
                .map(|path| view.tree_id(path))
                .collect::<std::result::Result<_, _>>()?,
        })
    }
}

impl Release {
    /// What `commit` of the branch has for an instance.
    pub fn new(branch: &DeployBranch, instance: &Instance, commit: Id) -> Result<Self> {
        let name = &instance.address.instance;
        let unit = Unit::Instance(name.clone());
        let view = branch.view_at(commit)?;
        let jobs = view
            .objects(name)?
            .unwrap_or_default()
            .values()
            .filter(|object| object["kind"] == "Job" && !is_ignored(object))
            .filter_map(|job| job.pointer("/metadata/name")?.as_str().map(str::to_owned))
            .collect();
        Ok(Self {
            cluster: instance.address.cluster.clone(),
            label: instance.address.to_string(),
            application: instance.address.application(),
            root: "grove-apps",
            namespace: instance.identity.namespace.clone(),
            commit: Some(commit.to_string()),
            source: None,
            remote: branch.remote().clone(),
            state: unit.state(&view)?,
            unit,
            known: Mutex::new([(commit.to_string(), Relation::Wanted)].into()),
            jobs,
        })
    }

    /// What `commit` of the branch has of what instances share: the root Application, and that of each
    /// part.
    pub fn shared(branch: &DeployBranch, cluster: &Cluster, commit: Id) -> Result<Vec<Self>> {
        let view = branch.view_at(commit)?;
        let Some(record) = view.shared_latest()? else {
            return Ok(Vec::new());
        };
        let state = Unit::Shared.state(&view)?;
        let release = |label: String, application: &str, namespace: &str, version: &str| Self {
            cluster: cluster.name.clone(),
            label,
            application: application.to_owned(),
            root: SHARED_ROOT,
            namespace: namespace.to_owned(),
            commit: None,
            source: None,
            remote: branch.remote().clone(),
            state: state.clone(),
            unit: Unit::Shared,
            // A chart of a repository is known by its version.
            known: Mutex::new(
                [commit.to_string(), version.to_owned()]
                    .map(|revision| (revision, Relation::Wanted))
                    .into(),
            ),
            jobs: BTreeSet::new(),
        };
        let mut releases = vec![release(
            format!("{}: cluster/", cluster.name),
            SHARED_ROOT,
            &cluster.argocd_namespace,
            "",
        )];
        for (file, object) in branch.objects_of(record.tree)? {
            let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
            let (Some(name), Some(namespace)) =
                (text("/metadata/name"), text("/spec/destination/namespace"))
            else {
                continue;
            };
            if !file.starts_with("application-") {
                continue;
            }
            let part = name.trim_start_matches("grove-");
            let version = record.parts.get(part).map_or("", String::as_str);
            let label = format!("{}: {part}", cluster.name);
            releases.push(Self {
                source: object.pointer("/spec/source").cloned(),
                ..release(label, name, namespace, version)
            });
        }
        Ok(releases)
    }

    /// What a commit is to this release. Others may push to the branch meanwhile: a commit that is
    /// new here is fetched.
    fn relation(&self, around: &Around, revision: &str) -> Relation {
        let known = |this: &Self| this.known.lock().ok()?.get(revision).copied();
        if let Some(relation) = known(self) {
            return relation;
        }
        let relation = self.look(around, revision).unwrap_or(Relation::Unknown);
        if relation != Relation::Unknown
            && let Ok(mut known) = self.known.lock()
        {
            known.insert(revision.to_owned(), relation);
        }
        relation
    }

    /// Looks a commit up; none where it cannot be had.
    fn look(&self, around: &Around, revision: &str) -> Option<Relation> {
        let commit: Id = revision.parse().ok()?;
        let caches = remotes::caches(around).ok()?;
        let branch =
            DeployBranch::open(&around.git(), &self.remote, &self.cluster, &caches).ok()?;
        if !branch.has_commit(commit).ok()? {
            return None;
        }
        let state = self.unit.state(&branch.view_at(commit).ok()?).ok()?;
        Some(if state.trees == self.state.trees {
            Relation::Wanted
        } else if state.number > self.state.number {
            Relation::Newer
        } else {
            Relation::Older
        })
    }
}

/// Whether an object does not count for the instance's health.
fn is_ignored(object: &Value) -> bool {
    object
        .pointer("/metadata/annotations")
        .and_then(|annotations| annotations.get("argocd.argoproj.io/ignore-healthcheck"))
        .is_some_and(|value| value == "true")
}

/// What became of one release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Waited {
    /// `cluster/instance`, or the part of what the cluster's instances share.
    pub instance: String,
    /// What was seen; none where it could not be followed.
    #[serde(flatten)]
    pub follow: Option<Follow>,
    /// Why it could not be followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What is wrong with releases that were followed, all in all: a release that failed says more than one
/// that was too slow or could not be seen. None where all of them run.
pub fn verdict(waits: &[Waited]) -> Option<Kind> {
    let mut all = None;
    for wait in waits {
        let one = match wait.follow.as_ref().map(|follow| &follow.ended) {
            Some(Ended::Healthy) => None,
            Some(Ended::Failed) => Some(Kind::Unhealthy),
            Some(Ended::Superseded | Ended::Frozen) => Some(Kind::Refused),
            Some(Ended::OutOfTime) => Some(Kind::OutOfTime),
            None => Some(Kind::Tool),
        };
        if all.is_none() || one == Some(Kind::Unhealthy) {
            all = one;
        }
    }
    all
}

impl Waited {
    /// A release that is not followed.
    pub fn not(label: &str, error: &Error) -> Self {
        Self {
            instance: label.to_owned(),
            follow: None,
            error: Some(error.to_string()),
        }
    }
}

/// Follows releases, all at once; a cluster that cannot be reached costs its own alone. It never fails:
/// what is followed was released, and what had not been seen to run when it was ended says so.
pub fn follow(
    around: &Around,
    limit: Duration,
    clusters: &BTreeMap<String, Cluster>,
    releases: &[Release],
) -> Vec<Waited> {
    if releases.is_empty() {
        return Vec::new();
    }
    let names: BTreeSet<&str> = releases
        .iter()
        .map(|release| release.cluster.as_str())
        .collect();
    let of_clusters = names.into_iter().map(|name| async move {
        let mine: Vec<&Release> = releases
            .iter()
            .filter(|release| release.cluster == name)
            .collect();
        match clusters.get(name) {
            Some(cluster) => on_cluster(around, limit, cluster, mine).await,
            None => Vec::new(),
        }
    });
    let rows = around
        .block_on(async { Ok(join_all(of_clusters).await) })
        .unwrap_or_else(|error| vec![none(&releases.iter().collect::<Vec<_>>(), &error)]);
    around.progress_done();
    let waited = |(label, result): (String, Result<Follow>)| match result {
        Ok(follow) => Waited {
            instance: label,
            follow: Some(follow),
            error: None,
        },
        Err(error) => {
            around.failed(&error);
            Waited::not(&label, &error)
        }
    };
    rows.into_iter().flatten().map(waited).collect()
}

/// None of them is followed.
fn none(releases: &[&Release], error: &Error) -> Followed {
    let releases = releases.iter();
    releases
        .map(|release| (release.label.clone(), Err(error.clone())))
        .collect()
}

/// What it is called, and what was seen.
type Followed = Vec<(String, Result<Follow>)>;

async fn on_cluster(
    around: &Around,
    limit: Duration,
    cluster: &Cluster,
    releases: Vec<&Release>,
) -> Followed {
    let connection = match proven(cluster) {
        Ok(()) => around.unless_ended(around.connect(cluster)).await,
        Err(error) => Err(error),
    };
    let connection = match connection {
        Ok(connection) => connection,
        Err(error) => {
            let mut error = error.context(format!("cannot follow releases on {}", cluster.name));
            error.hints.push(
                "the release stands in Git: Argo CD deploys it at its next poll, within about three minutes, unless it is busy with an older sync"
                    .to_owned(),
            );
            return none(&releases, &error);
        }
    };
    let follows = releases.into_iter().map(|release| {
        let connection = &connection;
        async move {
            let target = Target {
                argocd: &cluster.argocd_namespace,
                application: &release.application,
                root: release.root,
                namespace: &release.namespace,
                commit: release.commit.as_deref(),
                source: release.source.as_ref(),
                now: around.now(),
                relation: &|revision| release.relation(around, revision),
                is_job: &|name| release.jobs.contains(name),
            };
            let progress = |state: &str| {
                around.doing(Doing::Following {
                    what: &release.label,
                    state,
                });
            };
            let follow = async { Ok(connection.follow(&target, limit, &progress).await?) };
            let result = Box::pin(around.unless_ended(follow)).await;
            (
                release.label.clone(),
                result.map_err(|error| error.context(format!("cannot follow {}", release.label))),
            )
        }
    });
    join_all(follows).await
}
