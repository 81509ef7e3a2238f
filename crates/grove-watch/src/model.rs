//! The status model, and how it comes about.

use std::collections::BTreeMap;

use grove_cluster::argo::{self, Application};
use grove_core::Address;
use jiff::Timestamp;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};

use crate::{Observation, Workflow};

/// The format of a [`Status`] as JSON. A key may be added without a new number.
pub const VERSION: u32 = 1;

/// The JSON Schema (2020-12) of a [`Status`].
pub fn schema() -> serde_json::Value {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Status>()
        .to_value()
}

/// The most objects that are named as drifted, or Workflows as failed.
const DRIFT: usize = 10;
/// The Applications that bootstrap makes: they bring all others.
const ROOTS: [&str; 2] = ["grove-apps", "grove-cluster"];
/// The project of what a cluster's instances share.
const SHARED: &str = "grove-shared";

/// What should run and what runs, at one moment.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Status {
    /// [`VERSION`].
    pub version: u32,
    /// When it was asked.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub time: Timestamp,
    /// Every cluster of the selection.
    pub clusters: Vec<ClusterRow>,
    /// Every instance of the selection, and those that run without being in the fleet.
    pub instances: Vec<InstanceRow>,
}

/// One cluster.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct ClusterRow {
    /// Its name.
    pub cluster: String,
    /// Whether it answered.
    pub reached: bool,
    /// Why not, or what could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// Kubernetes' version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<String>,
    /// `sync/health` of the root Applications, by name.
    pub roots: BTreeMap<String, String>,
    /// What the cluster's instances share, Application by Application: Harmony, add-ons.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shared: BTreeMap<String, SharedRow>,
    /// Argo's Workflows; none where the cluster does not know the kind.
    #[serde(default, skip_serializing_if = "WorkflowsRow::is_empty")]
    pub workflows: WorkflowsRow,
    /// Stacks of the cluster and of its instances, by address.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stacks: BTreeMap<String, StackRow>,
    /// Since when the fleet's sealing certificate of the cluster is valid: the key's age.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub sealing_certificate_begins: Option<Timestamp>,
    /// When the fleet's sealing certificate of the cluster ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub sealing_certificate_ends: Option<Timestamp>,
}

/// Something that a cluster's instances share.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct SharedRow {
    /// Argo CD's word: `Synced`, `OutOfSync`, `Unknown`.
    pub sync: Option<String>,
    /// Argo CD's word: `Healthy`, `Progressing`, `Degraded`, …
    pub health: Option<String>,
    /// Objects that are not as the release has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
    /// What is wrong, in a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A stack: a root module with a state of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct StackRow {
    /// `applied`, `changed` (since it was applied), `new`, `blocked` or `stated`.
    pub state: String,
    /// What it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Objects that others had changed when `grove stack drift` last looked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
    /// When it last looked, on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub looked: Option<Timestamp>,
}

/// Argo's Workflows of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct WorkflowsRow {
    /// How many are under way.
    pub running: usize,
    /// Those that failed within the last day, the newest first: `namespace/name: what it says`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}

impl WorkflowsRow {
    fn is_empty(&self) -> bool {
        self.running == 0 && self.failed.is_empty()
    }
}

/// One instance.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct InstanceRow {
    /// The instance.
    #[schemars(with = "String")]
    pub instance: Address,
    /// In one word.
    pub state: State,
    /// The newest release of the deploy branch.
    pub wanted: Option<u32>,
    /// The release that the cluster has applied, where that is known.
    pub running: Option<u32>,
    /// Argo CD's word: `Synced`, `OutOfSync`, `Unknown`.
    pub sync: Option<String>,
    /// Argo CD's word: `Healthy`, `Progressing`, `Degraded`, …
    pub health: Option<String>,
    /// Objects that are not as the release has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
    /// Sealed secrets that could not be opened, Jobs that failed, and Deployments that are not all ready;
    /// only of an instance that is not healthy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unready: Vec<String>,
    /// The last operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// When the wanted release was made.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub released: Option<Timestamp>,
    /// Why it is held, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
    /// Until when Argo CD leaves it alone, where it is frozen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze: Option<Freeze>,
    /// When the first of its certificates ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub certificate_ends: Option<Timestamp>,
    /// What is wrong, in a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// An instance in one word; the worse one where two would fit.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The wanted release runs and is healthy.
    Running,
    /// It was never released.
    NeverReleased,
    /// A sync is under way, or Argo CD has not seen the release yet.
    Deploying,
    /// It runs, and is not as the release has it.
    Drifted,
    /// It is not healthy.
    Unhealthy,
    /// The cluster cannot be asked, or Argo CD does not know it.
    Unknown,
}

/// The last operation of an Application.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Operation {
    /// `Running`, `Succeeded`, `Failed`, …
    pub phase: String,
    /// What it says.
    pub message: String,
    /// Since when.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub since: Option<Timestamp>,
}

/// A freeze: `grove freeze`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Freeze {
    /// Why.
    pub reason: String,
    /// Until when.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub until: Timestamp,
    /// Who froze it.
    pub by: String,
    /// Whether only the cluster knows of it: Git could not be reached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_in_cluster: bool,
}

/// What Git says of one instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Released {
    /// The newest release, and when it was made.
    pub newest: Option<(u32, Timestamp)>,
    /// Why it is held.
    pub hold: Option<String>,
    /// Its freeze, in force or over.
    pub freeze: Option<Freeze>,
    /// The release that the commit brings which Argo CD has seen; none where the commit is unknown.
    pub seen: Option<u32>,
    /// The namespace that it runs in.
    pub namespace: String,
    /// Whether the fleet has it.
    pub in_fleet: bool,
}

/// What is wanted on one cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Instances by name.
    pub instances: BTreeMap<String, Released>,
    /// When the sealing certificate begins and ends.
    pub sealing_certificate: Option<(Timestamp, Timestamp)>,
    /// Stacks, by address.
    pub stacks: BTreeMap<String, StackRow>,
    /// Why the deploy branch cannot be read, where it cannot.
    pub problem: Option<String>,
}

/// Joins what is wanted with what was observed; `Err` says why a cluster could not be asked.
pub fn fold(
    time: Timestamp,
    wanted: &BTreeMap<String, Wanted>,
    observed: &BTreeMap<String, Result<Observation, String>>,
) -> Status {
    let mut status = Status {
        version: VERSION,
        time,
        clusters: Vec::new(),
        instances: Vec::new(),
    };
    for (cluster, wanted) in wanted {
        let observation = observed.get(cluster);
        status
            .clusters
            .push(cluster_row(time, cluster, wanted, observation));
        for (name, released) in &wanted.instances {
            let address = Address::new(cluster, name);
            status
                .instances
                .push(instance_row(time, address, released, observation));
        }
    }
    status
}

fn cluster_row(
    time: Timestamp,
    cluster: &str,
    wanted: &Wanted,
    observed: Option<&Result<Observation, String>>,
) -> ClusterRow {
    let mut row = ClusterRow {
        cluster: cluster.to_owned(),
        sealing_certificate_begins: wanted.sealing_certificate.map(|(begins, _)| begins),
        sealing_certificate_ends: wanted.sealing_certificate.map(|(_, ends)| ends),
        stacks: wanted.stacks.clone(),
        ..ClusterRow::default()
    };
    row.problems.extend(wanted.problem.clone());
    match observed {
        Some(Ok(observation)) => {
            row.reached = true;
            row.kubernetes = Some(observation.kubernetes.clone());
            row.problems.extend(observation.unread.iter().cloned());
            row.workflows = workflows(time, &observation.workflows);
            for (name, application) in &observation.applications {
                if ROOTS.contains(&name.as_str()) {
                    row.roots.insert(name.clone(), words(application));
                } else if application.project == SHARED {
                    row.shared.insert(name.clone(), shared(application));
                }
            }
        }
        Some(Err(error)) => row.problems.push(error.clone()),
        None => row.problems.push("it was not asked".to_owned()),
    }
    row
}

fn shared(application: &Application) -> SharedRow {
    let failed = application
        .operation
        .as_ref()
        .filter(|operation| matches!(operation.phase.as_str(), "Failed" | "Error"));
    SharedRow {
        sync: application.sync.clone(),
        health: application.health.clone(),
        drift: drift(application),
        problem: application
            .conditions
            .first()
            .cloned()
            .or_else(|| failed.map(|operation| operation.message.clone())),
    }
}

fn drift(application: &Application) -> Vec<String> {
    application
        .out_of_sync
        .iter()
        .take(DRIFT)
        .cloned()
        .collect()
}

/// How long a Workflow that failed is shown, in seconds.
const FAILED: i64 = 86_400;

fn workflows(time: Timestamp, all: &[Workflow]) -> WorkflowsRow {
    let mut failed: Vec<&Workflow> = all
        .iter()
        .filter(|workflow| !workflow.is_running())
        .filter(|workflow| {
            let ago = |ended: Timestamp| time.as_second() - ended.as_second();
            workflow.finished.is_none_or(|ended| ago(ended) < FAILED)
        })
        .collect();
    failed.sort_by_key(|workflow| (std::cmp::Reverse(workflow.finished), &workflow.name));
    WorkflowsRow {
        running: all.iter().filter(|workflow| workflow.is_running()).count(),
        failed: failed
            .iter()
            .take(DRIFT)
            .map(|workflow| format!("{}: {}", workflow.name, workflow.message))
            .collect(),
    }
}

fn words(application: &Application) -> String {
    let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "Unknown".to_owned());
    format!("{}/{}", word(&application.sync), word(&application.health))
}

fn instance_row(
    time: Timestamp,
    instance: Address,
    released: &Released,
    observed: Option<&Result<Observation, String>>,
) -> InstanceRow {
    let observation = observed.and_then(|result| result.as_ref().ok());
    let name = instance.application();
    let application = observation.and_then(|observation| observation.applications.get(&name));
    let operation = application.and_then(|application| application.operation.as_ref());
    let (state, problem) = match observation {
        Some(seen)
            if released.newest.is_some() && seen.applications_unread && application.is_none() =>
        {
            (
                State::Unknown,
                Some("Argo CD's Applications cannot be read".to_owned()),
            )
        }
        _ => judge(released, observation.is_some(), application),
    };
    let gone = (!released.in_fleet).then(|| "it runs and is not in the fleet".to_owned());
    InstanceRow {
        state,
        wanted: released.newest.map(|(number, _)| number),
        running: application
            .filter(|application| application.sync.as_deref() == Some("Synced"))
            .and(released.seen),
        sync: application.and_then(|application| application.sync.clone()),
        health: application.and_then(|application| application.health.clone()),
        drift: application
            .filter(|_| state == State::Drifted)
            .map(drift)
            .unwrap_or_default(),
        unready: observation
            .and_then(|observation| observation.unready.get(&released.namespace))
            .cloned()
            .unwrap_or_default(),
        operation: operation.map(|operation| Operation {
            phase: operation.phase.clone(),
            message: operation.message.clone(),
            since: operation.finished.or(operation.started),
        }),
        released: released.newest.map(|(_, time)| time),
        hold: released.hold.clone(),
        freeze: freeze(time, released, application),
        certificate_ends: observation
            .and_then(|observation| observation.certificates.get(&released.namespace))
            .copied(),
        problem: problem.or(gone),
        instance,
    }
}

/// The freeze that is in force: of the deploy branch, else of the cluster alone.
fn freeze(
    time: Timestamp,
    released: &Released,
    application: Option<&Application>,
) -> Option<Freeze> {
    let in_cluster = application.and_then(|application| application.frozen.as_ref());
    let in_cluster = in_cluster.map(|frozen| Freeze {
        reason: frozen.reason.clone(),
        until: frozen.until,
        by: frozen.by.clone(),
        only_in_cluster: true,
    });
    let all = [released.freeze.clone(), in_cluster];
    let mut in_force = all.into_iter().flatten();
    in_force.find(|freeze| freeze.until > time)
}

/// The state of an instance, and what is wrong.
fn judge(
    released: &Released,
    reached: bool,
    application: Option<&Application>,
) -> (State, Option<String>) {
    let Some((newest, _)) = released.newest else {
        return (State::NeverReleased, None);
    };
    if !reached {
        return (
            State::Unknown,
            Some("its cluster cannot be asked".to_owned()),
        );
    }
    let Some(application) = application else {
        return (
            State::Deploying,
            Some("Argo CD does not know it yet".to_owned()),
        );
    };
    if let Some(condition) = application.conditions.first() {
        return (State::Unknown, Some(condition.clone()));
    }
    let operation = application.operation.as_ref();
    let message = operation.map(|operation| operation.message.clone());
    let is_running = operation.is_some_and(argo::Operation::is_running);
    match (application.sync.as_deref(), application.health.as_deref()) {
        (_, Some("Degraded" | "Missing")) if !is_running => (
            State::Unhealthy,
            message.filter(|_| application.sync.as_deref() != Some("Synced")),
        ),
        (_, Some("Degraded")) => (State::Unhealthy, message),
        (Some("Synced"), Some("Healthy")) if released.seen.is_none_or(|seen| seen == newest) => {
            (State::Running, None)
        }
        (Some("Synced"), Some("Healthy")) => (
            State::Deploying,
            Some("Argo CD has not seen the newest release yet".to_owned()),
        ),
        _ if is_running => (State::Deploying, message),
        (Some("OutOfSync"), _) => match operation {
            Some(operation) if matches!(operation.phase.as_str(), "Failed" | "Error") => {
                (State::Unhealthy, Some(operation.message.clone()))
            }
            _ => (State::Drifted, None),
        },
        (_, Some("Progressing")) => (State::Deploying, None),
        _ => (State::Unknown, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn application(sync: &str, health: &str, phase: &str) -> Application {
        Application {
            name: "prod-uni".to_owned(),
            sync: Some(sync.to_owned()),
            health: Some(health.to_owned()),
            operation: Some(argo::Operation {
                phase: phase.to_owned(),
                message: "its message".to_owned(),
                ..argo::Operation::default()
            }),
            out_of_sync: vec!["Deployment/lms".to_owned()],
            ..Application::default()
        }
    }

    fn row(application: Option<Application>, seen: u32) -> InstanceRow {
        let released = Released {
            newest: Some((7, time("2026-01-01T00:00:00Z"))),
            seen: Some(seen),
            namespace: "uni".to_owned(),
            in_fleet: true,
            ..Released::default()
        };
        let observation = Observation {
            applications: application
                .into_iter()
                .map(|application| (application.name.clone(), application))
                .collect(),
            ..Observation::default()
        };
        instance_row(
            time("2026-01-02T00:00:00Z"),
            Address::new("prod", "uni"),
            &released,
            Some(&Ok(observation)),
        )
    }

    #[test]
    fn a_state_is_the_worst_that_fits() {
        let shown = |application, seen| {
            let row = row(application, seen);
            format!("{:?} {:?} {:?}", row.state, row.running, row.problem)
        };
        let cases = [
            (Some(application("Synced", "Healthy", "Succeeded")), 7),
            (Some(application("Synced", "Healthy", "Succeeded")), 6),
            (Some(application("Synced", "Degraded", "Succeeded")), 7),
            (Some(application("OutOfSync", "Healthy", "Running")), 7),
            (Some(application("OutOfSync", "Healthy", "Succeeded")), 7),
            (Some(application("OutOfSync", "Missing", "Failed")), 7),
            (Some(application("Odd", "Odder", "Oddest")), 7),
            (None, 7),
        ];
        let text: Vec<String> = cases
            .into_iter()
            .map(|(application, seen)| shown(application, seen))
            .collect();
        insta::assert_snapshot!(text.join("\n"), @r#"
        Running Some(7) None
        Deploying Some(6) Some("Argo CD has not seen the newest release yet")
        Unhealthy Some(7) None
        Deploying None Some("its message")
        Drifted None None
        Unhealthy None Some("its message")
        Unknown None Some("its message")
        Deploying None Some("Argo CD does not know it yet")
        "#);
    }

    #[test]
    fn what_is_shared_has_rows_and_workflows_are_counted() {
        let of = |name: &str, project: &str| {
            let application = Application {
                name: name.to_owned(),
                project: project.to_owned(),
                ..application("OutOfSync", "Healthy", "Failed")
            };
            (name.to_owned(), application)
        };
        let workflow = |name: &str, phase: &str, finished: Option<&str>| Workflow {
            name: name.to_owned(),
            phase: phase.to_owned(),
            message: "why".to_owned(),
            finished: finished.map(time),
        };
        let observation = Observation {
            applications: [
                of("grove-apps", "grove-shared"),
                of("grove-harmony", "grove-shared"),
                of("prod-uni", "prod-uni"),
            ]
            .into(),
            workflows: vec![
                workflow("a/runs", "Running", None),
                workflow("a/older", "Failed", Some("2026-01-01T01:00:00Z")),
                workflow("a/newer", "Error", Some("2026-01-01T02:00:00Z")),
                workflow("a/long-ago", "Failed", Some("2025-12-01T02:00:00Z")),
            ],
            ..Observation::default()
        };
        let now = time("2026-01-02T00:00:00Z");
        let row = cluster_row(now, "prod", &Wanted::default(), Some(&Ok(observation)));
        let text = serde_json::to_string(&(row.roots, row.shared, row.workflows));
        insta::assert_snapshot!(text.unwrap(), @r#"[{"grove-apps":"OutOfSync/Healthy"},{"grove-harmony":{"sync":"OutOfSync","health":"Healthy","drift":["Deployment/lms"],"problem":"its message"}},{"running":1,"failed":["a/newer: why","a/older: why"]}]"#);
    }

    #[test]
    fn a_cluster_that_is_not_reached_is_unknown_and_no_other() {
        let instances = [(
            "uni".to_owned(),
            Released {
                newest: Some((1, time("2026-01-01T00:00:00Z"))),
                in_fleet: true,
                ..Released::default()
            },
        )];
        let wanted: BTreeMap<String, Wanted> = ["a", "b"]
            .map(|name| {
                (
                    name.to_owned(),
                    Wanted {
                        instances: instances.clone().into(),
                        ..Wanted::default()
                    },
                )
            })
            .into();
        let observed = [
            ("a".to_owned(), Err("cannot be reached".to_owned())),
            ("b".to_owned(), Ok(Observation::default())),
        ];
        let status = fold(time("2026-01-02T00:00:00Z"), &wanted, &observed.into());
        assert_eq!(status.instances[0].state, State::Unknown);
        assert_eq!(status.instances[1].state, State::Deploying);
        let unread = Observation {
            applications_unread: true,
            ..Observation::default()
        };
        let unread = [("b".to_owned(), Ok(unread))];
        let status_unread = fold(time("2026-01-02T00:00:00Z"), &wanted, &unread.into());
        assert_eq!(status_unread.instances[1].state, State::Unknown);
        assert_eq!(status.clusters[0].problems, ["cannot be reached"]);
        assert!(status.clusters[1].reached);
    }

    #[test]
    fn what_is_printed_has_the_keys_of_the_schema() {
        let status = Status {
            version: VERSION,
            time: time("2026-01-01T00:00:00Z"),
            clusters: vec![ClusterRow {
                cluster: "prod".to_owned(),
                ..ClusterRow::default()
            }],
            instances: vec![row(Some(application("Synced", "Healthy", "Succeeded")), 7)],
        };
        let value = serde_json::to_value(status).unwrap();
        let schema = schema();
        let check = |value: &serde_json::Value, schema: &serde_json::Value| {
            let known = schema["properties"].as_object().unwrap();
            let value = value.as_object().unwrap();
            for key in value.keys() {
                assert!(known.contains_key(key), "the schema lacks {key}");
            }
            for key in schema["required"].as_array().unwrap() {
                assert!(
                    value.contains_key(key.as_str().unwrap()),
                    "{key} is missing"
                );
            }
        };
        check(&value, &schema);
        check(&value["clusters"][0], &schema["$defs"]["ClusterRow"]);
        check(&value["instances"][0], &schema["$defs"]["InstanceRow"]);
        check(
            &value["instances"][0]["operation"],
            &schema["$defs"]["Operation"],
        );
    }
}
