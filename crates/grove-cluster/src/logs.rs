//! What the pods of a namespace wrote, and write.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use futures_util::{AsyncBufReadExt as _, StreamExt as _, stream::SelectAll};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::{ListParams, LogParams},
};

use crate::{Connection, Error, argo::clean};

/// How often pods are looked for that started meanwhile.
const LOOK: Duration = Duration::from_secs(2);

/// The most bytes that are read of one log.
const LIMIT: i64 = 8 << 20;

/// Whose logs are meant.
#[derive(Clone, Copy, Debug)]
pub struct Meant<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// Only pods of this workload or init task.
    pub service: Option<&'a str>,
    /// At most this many lines of each pod, the last ones.
    pub tail: i64,
}

/// What following hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// At the first look no pod had begun to write.
    Nothing,
    /// A line.
    Line {
        /// The pod that wrote it.
        pod: &'a str,
        /// The line, without control characters.
        line: &'a str,
    },
}

/// The last lines of each pod that is meant: its name, and its lines without control characters. Of a
/// container that has not started, the one line says that, in brackets. With `previous`, what was written before
/// the last restart.
///
/// # Errors
///
/// What the cluster says.
pub async fn read(
    connection: &Connection,
    meant: &Meant<'_>,
    previous: bool,
) -> Result<Vec<(String, Vec<String>)>, Error> {
    let (api, pods) = pods(connection, meant).await?;
    let mut found = Vec::new();
    for (name, _) in pods {
        let parameters = LogParams {
            tail_lines: Some(meant.tail),
            limit_bytes: Some(LIMIT),
            previous,
            ..LogParams::default()
        };
        let doing = format!("get the log of pods/{name}");
        let lines = match connection.ask(&doing, api.logs(&name, &parameters)).await {
            Ok(text) => text.lines().map(clean).collect(),
            // A container that has not started has written nothing.
            Err(Error::Rejected { message, .. }) => vec![format!("({})", clean(&message))],
            Err(error) => return Err(error),
        };
        found.push((name, lines));
    }
    Ok(found)
}

/// The last lines of each pod that is meant, then what they write, and everything that pods write which start
/// meanwhile. It goes on until `hear` gives an error, or the cluster does.
///
/// # Errors
///
/// What `hear` gives, and what the cluster says.
pub async fn follow<E: From<Error>>(
    connection: &Connection,
    meant: &Meant<'_>,
    mut hear: impl FnMut(Heard<'_>) -> Result<(), E>,
) -> Result<Infallible, E> {
    let mut lines = SelectAll::new();
    // A container that was restarted begins another log.
    let mut followed = BTreeSet::new();
    let mut looks = tokio::time::interval(LOOK);
    let mut is_first = true;
    loop {
        tokio::select! {
            Some((pod, line)) = lines.next() => {
                let (pod, line): (String, std::io::Result<String>) = (pod, line);
                let Ok(line) = line else { continue };
                hear(Heard::Line { pod: &pod, line: &clean(&line) })?;
            }
            _ = looks.tick() => {
                let (api, pods) = pods(connection, meant).await?;
                for (name, pod) in pods {
                    let log = (pod.metadata.uid.clone(), restarts(&pod));
                    if followed.contains(&log) {
                        continue;
                    }
                    let parameters = LogParams {
                        follow: true,
                        // Of what starts meanwhile, everything.
                        tail_lines: is_first.then_some(meant.tail),
                        ..LogParams::default()
                    };
                    let doing = format!("get the log of pods/{name}");
                    let stream = api.log_stream(&name, &parameters);
                    match connection.ask(&doing, stream).await {
                        Ok(stream) => {
                            followed.insert(log);
                            lines.push(stream.lines().map(move |line| (name.clone(), line)).boxed());
                        }
                        // It has not started, or is gone: the next look tells.
                        Err(Error::Rejected { .. } | Error::Absent { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                if is_first && followed.is_empty() {
                    hear(Heard::Nothing)?;
                }
                is_first = false;
            }
        }
    }
}

/// The pods that are meant, by name.
async fn pods(
    connection: &Connection,
    meant: &Meant<'_>,
) -> Result<(Api<Pod>, Vec<(String, Pod)>), Error> {
    let pods: Api<Pod> = Api::namespaced(connection.client().clone(), meant.namespace);
    let doing = format!("list pods in {}", meant.namespace);
    let all = ListParams::default();
    let list = connection.ask(&doing, pods.list(&all)).await?;
    let named = list
        .items
        .into_iter()
        .filter_map(|pod| Some((pod.metadata.name.clone()?, pod)));
    let meant = named
        .filter(|(name, pod)| {
            meant
                .service
                .is_none_or(|service| is_of(pod, name, service))
        })
        .collect();
    Ok((pods, meant))
}

/// How often the containers of a pod were restarted.
fn restarts(pod: &Pod) -> i32 {
    let statuses = pod
        .status
        .iter()
        .flat_map(|status| status.container_statuses.iter().flatten());
    statuses.map(|status| status.restart_count).sum()
}

/// Whether a pod is of a workload or of an init task: of one whose name is the service's, or the
/// service's with a suffix made of a hash.
fn is_of(pod: &Pod, name: &str, service: &str) -> bool {
    let label = pod
        .metadata
        .labels
        .as_ref()
        .and_then(|labels| labels.get("app.kubernetes.io/name"));
    let owner = pod
        .metadata
        .owner_references
        .as_ref()
        .and_then(|owners| owners.first())
        .map_or(name, |owner| owner.name.as_str());
    let is_suffixed = owner
        .strip_prefix(service)
        .and_then(|rest| rest.strip_prefix('-'))
        .is_some_and(|rest| !rest.contains('-'));
    let is_job = pod
        .metadata
        .owner_references
        .iter()
        .flatten()
        .any(|owner| owner.kind == "Job");
    is_suffixed || (!is_job && label.is_some_and(|label| label == service))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_is_of_its_workload_or_task() {
        let pod = |label: &str, kind: &str, owner: &str| -> Pod {
            serde_json::from_value(json!({"metadata": {
                "labels": {"app.kubernetes.io/name": label},
                "ownerReferences": [{"apiVersion": "", "kind": kind, "name": owner, "uid": ""}],
            }}))
            .unwrap()
        };
        let workload = pod("lms", "ReplicaSet", "lms-5d9f");
        assert!(is_of(&workload, "lms-5d9f-x", "lms"));
        assert!(!is_of(&workload, "lms-5d9f-x", "cms"));
        // An init task has the label of the service with whose image it runs.
        let task = pod("lms", "Job", "lms-migrate-ab12");
        assert!(!is_of(&task, "lms-migrate-ab12-x", "lms"));
        assert!(is_of(&task, "lms-migrate-ab12-x", "lms-migrate"));
        assert!(is_of(
            &pod("lms-worker", "ReplicaSet", "lms-worker-77"),
            "x",
            "lms-worker"
        ));
        assert!(!is_of(
            &pod("lms-worker", "ReplicaSet", "lms-worker-77"),
            "x",
            "lms"
        ));
    }
}
