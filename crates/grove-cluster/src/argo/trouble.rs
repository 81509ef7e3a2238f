//! What keeps an instance from being healthy: Jobs that failed, pods that do not get ready.

use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ContainerStatus, Pod},
};
use kube::{
    Api,
    api::{ApiResource, DynamicObject, ListParams, LogParams},
    core::GroupVersionKind,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clean;
use crate::{Connection, Error};

/// How many lines of a log are shown.
const LINES: i64 = 12;
/// How many pods or Jobs are named.
const MOST: usize = 5;

/// Something that is wrong in an instance's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trouble {
    /// `Job/lms-migrate-…` or `Pod/lms-…`.
    pub object: String,
    /// Why, in a few words: `CrashLoopBackOff`, `exit code 1`, `Unschedulable: …`.
    pub reason: String,
    /// Whether it cannot get better by waiting: a Job that failed.
    pub is_final: bool,
    /// The last lines that its container wrote, where they can be read.
    pub log: Vec<String>,
}

/// What is wrong in a namespace, sealed secrets and Jobs first. `is_ours` says which Jobs count, by name: others may be
/// left of earlier releases.
pub async fn troubles(
    connection: &Connection,
    namespace: &str,
    is_ours: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Vec<Trouble>, Error> {
    let jobs: Api<Job> = Api::namespaced(connection.client().clone(), namespace);
    let pods: Api<Pod> = Api::namespaced(connection.client().clone(), namespace);
    let all = ListParams::default();
    let (jobs, pod_list, unopened) = tokio::try_join!(
        connection.ask("list jobs.batch", jobs.list(&all)),
        connection.ask("list pods", pods.list(&all)),
        unopened(connection, namespace),
    )?;
    let mut found: Vec<Trouble> = unopened
        .into_iter()
        .map(|(name, reason)| Trouble {
            object: format!("SealedSecret/{name}"),
            reason,
            is_final: false,
            log: Vec::new(),
        })
        .collect();
    let failed_jobs: Vec<&Job> = jobs.items.iter().filter(|job| has_failed(job)).collect();
    for job in failed_jobs {
        let name = job.metadata.name.clone().unwrap_or_default();
        if !is_ours(&name) {
            continue;
        }
        let pod = pod_list.items.iter().find(|pod| owner(pod) == Some(&name));
        let reason = pod.and_then(pod_trouble).unwrap_or_else(|| job_reason(job));
        let log = match pod {
            Some(pod) => log(connection, &pods, pod).await,
            None => Vec::new(),
        };
        found.push(Trouble {
            object: format!("Job/{}", clean(&name)),
            reason,
            is_final: true,
            log,
        });
    }
    for pod in &pod_list.items {
        if found.len() >= MOST {
            break;
        }
        let is_of_other_job = owner_kind(pod) == Some("Job")
            && owner(pod).is_none_or(|job| {
                !is_ours(job)
                    || found
                        .iter()
                        .any(|trouble| trouble.object == format!("Job/{job}"))
            });
        if is_of_other_job || pod.metadata.deletion_timestamp.is_some() {
            continue;
        }
        if let Some(reason) = pod_trouble(pod) {
            found.push(Trouble {
                object: format!(
                    "Pod/{}",
                    clean(pod.metadata.name.as_deref().unwrap_or_default())
                ),
                reason,
                is_final: false,
                log: log(connection, &pods, pod).await,
            });
        }
    }
    found.truncate(MOST);
    Ok(found)
}

/// Sealed secrets of a namespace that the controller could not open, and why. Nothing where the kind is
/// unknown or not the user's to read: that is no trouble of the instance.
pub async fn unopened(
    connection: &Connection,
    namespace: &str,
) -> Result<Vec<(String, String)>, Error> {
    let kind = GroupVersionKind::gvk("bitnami.com", "v1alpha1", "SealedSecret");
    let resource = ApiResource::from_gvk_with_plural(&kind, "sealedsecrets");
    let api: Api<DynamicObject> =
        Api::namespaced_with(connection.client().clone(), namespace, &resource);
    let all = ListParams::default();
    let asked = connection.ask("list sealedsecrets.bitnami.com", api.list(&all));
    let list = match asked.await {
        Ok(list) => list,
        Err(Error::Absent { .. } | Error::Forbidden { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(list
        .items
        .iter()
        .filter_map(|object| Some((clean(object.metadata.name.as_ref()?), refusal(object)?)))
        .collect())
}

/// Why a sealed secret was not opened.
fn refusal(object: &DynamicObject) -> Option<String> {
    let conditions = object.data.pointer("/status/conditions")?.as_array()?;
    let is_refused =
        |condition: &&Value| condition["type"] == "Synced" && condition["status"] == "False";
    let condition = conditions.iter().find(is_refused)?;
    let message = condition["message"]
        .as_str()
        .unwrap_or("no reason is given");
    Some(clean(&format!("cannot be opened: {message}")))
}

fn has_failed(job: &Job) -> bool {
    job.status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .any(|condition| condition.type_ == "Failed" && condition.status == "True")
}

fn job_reason(job: &Job) -> String {
    job.status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .find(|condition| condition.type_ == "Failed")
        .and_then(|condition| condition.message.as_deref().or(condition.reason.as_deref()))
        .map_or_else(|| "failed".to_owned(), clean)
}

fn owner(pod: &Pod) -> Option<&String> {
    Some(&pod.metadata.owner_references.as_ref()?.first()?.name)
}

fn owner_kind(pod: &Pod) -> Option<&str> {
    Some(&pod.metadata.owner_references.as_ref()?.first()?.kind)
}

/// Why a pod is not as it should be; none where it runs, has done its work, or is only starting.
fn pod_trouble(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    if status.phase.as_deref() == Some("Succeeded") {
        return None;
    }
    let containers = || {
        status
            .init_container_statuses
            .iter()
            .flatten()
            .chain(status.container_statuses.iter().flatten())
    };
    if let Some(reason) = containers().find_map(container_trouble) {
        return Some(reason);
    }
    let condition = |name: &str| {
        status
            .conditions
            .iter()
            .flatten()
            .find(|condition| condition.type_ == name && condition.status == "False")
    };
    if let Some(condition) = condition("PodScheduled") {
        return Some(format!(
            "{}: {}",
            clean(condition.reason.as_deref().unwrap_or("not scheduled")),
            clean(condition.message.as_deref().unwrap_or_default())
        ));
    }
    if status.phase.as_deref() == Some("Failed") {
        return Some(clean(status.reason.as_deref().unwrap_or("failed")));
    }
    (status.phase.as_deref() == Some("Running") && condition("Ready").is_some())
        .then(|| "runs and is not ready".to_owned())
}

fn container_trouble(status: &ContainerStatus) -> Option<String> {
    let state = status.state.as_ref()?;
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref()?;
        if matches!(reason, "ContainerCreating" | "PodInitializing") {
            return None;
        }
        let message = waiting.message.as_deref().map(clean).unwrap_or_default();
        return Some(
            format!("{}: {message}", clean(reason))
                .trim_end_matches(": ")
                .to_owned(),
        );
    }
    let ended = state
        .terminated
        .as_ref()
        .filter(|ended| ended.exit_code != 0)?;
    Some(format!(
        "exit code {}{}",
        ended.exit_code,
        ended
            .reason
            .as_deref()
            .map_or(String::new(), |reason| format!(" ({})", clean(reason)))
    ))
}

/// The last lines of a pod's first container that is in trouble. A log that cannot be read is no
/// reason to say nothing of the rest.
async fn log(connection: &Connection, pods: &Api<Pod>, pod: &Pod) -> Vec<String> {
    let Some(name) = &pod.metadata.name else {
        return Vec::new();
    };
    let status = pod.status.as_ref();
    let container = status
        .into_iter()
        .flat_map(|status| {
            status
                .init_container_statuses
                .iter()
                .chain(&status.container_statuses)
                .flatten()
        })
        .find(|status| container_trouble(status).is_some());
    let parameters = LogParams {
        container: container.map(|status| status.name.clone()),
        tail_lines: Some(LINES),
        limit_bytes: Some(64 << 10),
        ..LogParams::default()
    };
    connection
        .ask(
            &format!("get the log of pods/{name}"),
            pods.logs(name, &parameters),
        )
        .await
        .map(|text| text.lines().map(clean).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reason(status: &serde_json::Value) -> Option<String> {
        let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": []}, "status": status});
        pod_trouble(&serde_json::from_value(pod).unwrap())
    }

    #[test]
    fn the_reason_is_the_first_that_explains() {
        let container = |state: serde_json::Value| json!([{"name": "a", "image": "a", "imageID": "", "ready": false, "restartCount": 0, "state": state}]);
        assert_eq!(reason(&json!({"phase": "Succeeded"})), None);
        assert_eq!(reason(&json!({"phase": "Pending"})), None);
        let waiting =
            container(json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}));
        insta::assert_snapshot!(reason(&json!({"phase": "Running", "containerStatuses": waiting})).unwrap(), @"CrashLoopBackOff: back-off");
        let ended = container(json!({"terminated": {"exitCode": 1, "reason": "Error"}}));
        insta::assert_snapshot!(reason(&json!({"phase": "Failed", "containerStatuses": ended})).unwrap(), @"exit code 1 (Error)");
        let creating = container(json!({"waiting": {"reason": "ContainerCreating"}}));
        assert_eq!(
            reason(&json!({"phase": "Pending", "containerStatuses": creating})),
            None
        );
        let condition = |name: &str, reason: &str, message: &str| json!([{"type": name, "status": "False", "reason": reason, "message": message}]);
        insta::assert_snapshot!(reason(&json!({"phase": "Pending", "conditions": condition("PodScheduled", "Unschedulable", "0/1 nodes")})).unwrap(), @"Unschedulable: 0/1 nodes");
        insta::assert_snapshot!(reason(&json!({"phase": "Running", "conditions": condition("Ready", "", "")})).unwrap(), @"runs and is not ready");
    }
}
