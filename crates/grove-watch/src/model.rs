//! The status model, and how it comes about.

use std::collections::BTreeMap;

use grove_cluster::argo::{self, Application};
use grove_fleet::Address;
use jiff::Timestamp;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Serialize;

use crate::Observation;

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

/// The most objects that are named as drifted.
const DRIFT: usize = 10;

/// What should run and what runs, at one moment.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
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
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct ClusterRow {
    /// Its name.
    pub cluster: String,
    /// Whether it answered.
    pub reached: bool,
    /// Why not, or what could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// Kubernetes' version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<String>,
    /// `sync/health` of the root Applications, by name.
    pub roots: BTreeMap<String, String>,
    /// When the fleet's sealing certificate of the cluster ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub sealing_certificate_ends: Option<Timestamp>,
}

/// One instance.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
    /// The last operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// When the wanted release was made.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub released: Option<Timestamp>,
    /// Why it is held, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
    /// When the first of its certificates ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub certificate_ends: Option<Timestamp>,
    /// What is wrong, in a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// An instance in one word; the worse one where two would fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Operation {
    /// `Running`, `Succeeded`, `Failed`, …
    pub phase: String,
    /// What it says.
    pub message: String,
    /// Since when.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub since: Option<Timestamp>,
}

/// What Git says of one instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Released {
    /// The newest release, and when it was made.
    pub newest: Option<(u32, Timestamp)>,
    /// Why it is held.
    pub hold: Option<String>,
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
    /// When the sealing certificate ends.
    pub sealing_certificate_ends: Option<Timestamp>,
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
            .push(cluster_row(cluster, wanted, observation));
        for (name, released) in &wanted.instances {
            let address = Address::new(cluster, name);
            status
                .instances
                .push(instance_row(address, released, observation));
        }
    }
    status
}

fn cluster_row(
    cluster: &str,
    wanted: &Wanted,
    observed: Option<&Result<Observation, String>>,
) -> ClusterRow {
    let mut row = ClusterRow {
        cluster: cluster.to_owned(),
        sealing_certificate_ends: wanted.sealing_certificate_ends,
        ..ClusterRow::default()
    };
    row.problems.extend(wanted.problem.clone());
    match observed {
        Some(Ok(observation)) => {
            row.reached = true;
            row.kubernetes = Some(observation.kubernetes.clone());
            row.problems.extend(observation.unread.iter().cloned());
            for name in ["grove-apps", "grove-cluster"] {
                if let Some(root) = observation.applications.get(name) {
                    row.roots.insert(name.to_owned(), words(root));
                }
            }
        }
        Some(Err(error)) => row.problems.push(error.clone()),
        None => row.problems.push("it was not asked".to_owned()),
    }
    row
}

fn words(application: &Application) -> String {
    let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "Unknown".to_owned());
    format!("{}/{}", word(&application.sync), word(&application.health))
}

fn instance_row(
    instance: Address,
    released: &Released,
    observed: Option<&Result<Observation, String>>,
) -> InstanceRow {
    let observation = observed.and_then(|result| result.as_ref().ok());
    let name = instance.application();
    let application = observation.and_then(|observation| observation.applications.get(&name));
    let operation = application.and_then(|application| application.operation.as_ref());
    let (state, problem) = judge(released, observation.is_some(), application);
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
            .map(|application| {
                application
                    .out_of_sync
                    .iter()
                    .take(DRIFT)
                    .cloned()
                    .collect()
            })
            .unwrap_or_default(),
        operation: operation.map(|operation| Operation {
            phase: operation.phase.clone(),
            message: operation.message.clone(),
            since: operation.finished.or(operation.started),
        }),
        released: released.newest.map(|(_, time)| time),
        hold: released.hold.clone(),
        certificate_ends: observation
            .and_then(|observation| observation.certificates.get(&released.namespace))
            .copied(),
        problem: problem.or(gone),
        instance,
    }
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
