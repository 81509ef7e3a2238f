//! A Job that is made for one task, from its beginning to the end of its pod.

use std::time::{Duration, Instant};

use futures_util::{AsyncBufReadExt as _, StreamExt as _};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ContainerState, Event, Pod},
};
use kube::{
    Api,
    api::{DeleteParams, ListParams, LogParams},
};
use serde_json::{Value, json};

use crate::{Connection, argo::clean};

/// How often the pod is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// After how long it is said what a pod waits for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A Job to be made and followed.
#[derive(Clone, Copy, Debug)]
pub struct OneOff<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What is made: the Job first, then what goes when it does.
    pub objects: &'a [Value],
    /// How long it is watched.
    pub patience: Duration,
}

/// What is told of a Job meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// It is made.
    Made,
    /// Its pod has not begun for a while, and why: no node has room, an image is not pulled, a quota is used
    /// up. Told once for each reason.
    Waits(&'a str),
    /// A line that it wrote, as it was written.
    Line(&'a str),
}

/// Who is told.
pub type Tell<'a> = &'a (dyn Fn(Told<'_>) + Sync);

/// How the container of a Job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit code of its program.
    pub exit_code: i32,
    /// Kubernetes' word for why, such as `Completed`, `Error` or `OOMKilled`.
    pub reason: Option<String>,
}

/// Why a Job did not come to its end, as far as is known.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster did not do what was asked.
    #[error(transparent)]
    Cluster(#[from] crate::Error),
    /// A pod that was to stay ended before it was used.
    #[error("the pod of {name} ended at once, with exit code {exit_code}")]
    EndedAtOnce {
        /// The Job's name.
        name: String,
        /// The exit code of its program.
        exit_code: i32,
    },
    /// Time ran out before its pod began.
    #[error("{name} has not begun in time: {why}")]
    NotBegun {
        /// The Job's name.
        name: String,
        /// What the pod waits for.
        why: String,
    },
    /// Time ran out before it ended. It goes on.
    #[error("{name} has not ended in time")]
    NotEnded {
        /// The Job's name.
        name: String,
    },
}

/// Makes the objects of a task and gives the name of its pod once that runs.
///
/// # Errors
///
/// [`Error::EndedAtOnce`] where it runs no more, [`Error::NotBegun`] where it does not begin in time, and what
/// the cluster says.
pub async fn begin(
    connection: &Connection,
    task: &OneOff<'_>,
    tell: Tell<'_>,
) -> Result<String, Error> {
    make(connection, task).await?;
    tell(Told::Made);
    let pods = Pods::new(connection, task);
    let pod = pods.started(until(task.patience), tell).await?;
    match ended(&pod) {
        None => Ok(pod.metadata.name.unwrap_or_default()),
        Some(ended) => Err(Error::EndedAtOnce {
            name: task.name.to_owned(),
            exit_code: ended.exit_code,
        }),
    }
}

/// Ends a Job and its pods. It need not be there.
///
/// # Errors
///
/// What the cluster says.
pub async fn end(connection: &Connection, namespace: &str, name: &str) -> Result<(), crate::Error> {
    let jobs: Api<Job> = Api::namespaced(connection.client().clone(), namespace);
    let doing = format!("delete jobs.batch/{name} in {namespace}");
    let background = DeleteParams::background();
    match connection.ask(&doing, jobs.delete(name, &background)).await {
        Err(error) if !error.is_absent() => Err(error),
        _ => Ok(()),
    }
}

async fn make(connection: &Connection, task: &OneOff<'_>) -> Result<(), Error> {
    let mut owner = None;
    for object in task.objects {
        let mut object = object.clone();
        if let Some(owner) = &owner {
            // It goes when the Job does.
            object["metadata"]["ownerReferences"] = json!([owner]);
        }
        connection.apply(&object, false).await?;
        if owner.is_none() {
            let made = connection.get(&object).await?.unwrap_or(Value::Null);
            owner = Some(json!({
                "apiVersion": "batch/v1", "kind": "Job", "name": task.name,
                "uid": made.pointer("/metadata/uid").cloned().unwrap_or_default(),
            }));
        }
    }
    Ok(())
}

/// Makes the Job, tells what its pod writes, and says how it ended.
///
/// # Errors
///
/// [`Error::NotBegun`] and [`Error::NotEnded`] where time ran out, and what the cluster says.
pub async fn run(
    connection: &Connection,
    task: &OneOff<'_>,
    tell: Tell<'_>,
) -> Result<Ended, Error> {
    make(connection, task).await?;
    tell(Told::Made);
    let deadline = until(task.patience);
    let late = || Error::NotEnded {
        name: task.name.to_owned(),
    };
    let pods = Pods::new(connection, task);
    let pod = pods.started(deadline, tell).await?;
    let name = pod.metadata.name.clone().unwrap_or_default();
    if has_begun(&pod) {
        let parameters = LogParams {
            follow: true,
            ..LogParams::default()
        };
        let doing = format!("get the log of pods/{name}");
        let stream = connection.ask(&doing, pods.api.log_stream(&name, &parameters));
        let mut lines = stream.await?.lines();
        let mut looks = tokio::time::interval(LOOK);
        let mut is_over = false;
        loop {
            tokio::select! {
                // What was written comes before the question whether there is more.
                biased;
                line = lines.next() => match line {
                    Some(Ok(line)) => tell(Told::Line(&line)),
                    Some(Err(_)) | None => break,
                },
                _ = looks.tick() => {
                    if is_over {
                        // Nothing came for as long as a look: not every server ends the log of what ended.
                        break;
                    }
                    if Instant::now() > deadline {
                        return Err(late());
                    }
                    is_over = pods.find().await?.as_ref().and_then(ended).is_some();
                }
            }
        }
    }
    pods.ended(deadline).await?.ok_or_else(late)
}

/// When patience ends. A time beyond all clocks is a month.
fn until(patience: Duration) -> Instant {
    const LONGEST: Duration = Duration::from_hours(31 * 24);
    Instant::now() + patience.min(LONGEST)
}

struct Pods<'a> {
    api: Api<Pod>,
    connection: &'a Connection,
    job: &'a str,
}

impl<'a> Pods<'a> {
    fn new(connection: &'a Connection, task: &OneOff<'a>) -> Self {
        Self {
            api: Api::namespaced(connection.client().clone(), task.namespace),
            connection,
            job: task.name,
        }
    }

    async fn find(&self) -> Result<Option<Pod>, Error> {
        let own =
            ListParams::default().labels(&format!("batch.kubernetes.io/job-name={}", self.job));
        let doing = format!("list pods of jobs/{}", self.job);
        let list = self.connection.ask(&doing, self.api.list(&own)).await?;
        Ok(list.items.into_iter().next())
    }

    /// Waits until the pod runs or has ended.
    async fn started(&self, deadline: Instant, tell: Tell<'_>) -> Result<Pod, Error> {
        let begun = Instant::now();
        let mut said = None;
        loop {
            let pod = self.find().await?;
            if let Some(pod) = pod
                .as_ref()
                .filter(|pod| has_begun(pod) || ended(pod).is_some())
            {
                return Ok(pod.clone());
            }
            let why = match &pod {
                Some(pod) => waits_for(pod),
                None => self.refused().await?,
            };
            if begun.elapsed() > PATIENCE && why.is_some() && why != said {
                tell(Told::Waits(why.as_deref().unwrap_or_default()));
                said.clone_from(&why);
            }
            if Instant::now() > deadline {
                return Err(Error::NotBegun {
                    name: self.job.to_owned(),
                    why: why.unwrap_or_else(|| "its pod has not started".to_owned()),
                });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Why the Job has no pod, where an event says so: a quota for instance.
    async fn refused(&self) -> Result<Option<String>, Error> {
        let namespace = self.api.namespace().unwrap_or_default();
        let events: Api<Event> = Api::namespaced(self.connection.client().clone(), namespace);
        let own = ListParams::default().fields(&format!(
            "involvedObject.kind=Job,involvedObject.name={},type=Warning",
            self.job
        ));
        let doing = format!("list events of jobs/{}", self.job);
        let list = self.connection.ask(&doing, events.list(&own)).await?;
        Ok(list
            .items
            .into_iter()
            .find_map(|event| event.message)
            .map(|message| clean(&message)))
    }

    /// Waits for the end of its container; none where the time is over.
    async fn ended(&self, deadline: Instant) -> Result<Option<Ended>, Error> {
        loop {
            if let Some(ended) = self.find().await?.as_ref().and_then(ended) {
                return Ok(Some(ended));
            }
            if Instant::now() > deadline {
                return Ok(None);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn states(pod: &Pod) -> impl Iterator<Item = &ContainerState> {
    let statuses = pod
        .status
        .iter()
        .flat_map(|status| status.container_statuses.iter().flatten());
    statuses.filter_map(|status| status.state.as_ref())
}

/// Whether its container has begun.
fn has_begun(pod: &Pod) -> bool {
    states(pod).any(|state| state.running.is_some() || state.terminated.is_some())
}

/// How its container ended.
fn ended(pod: &Pod) -> Option<Ended> {
    let ended = states(pod).find_map(|state| state.terminated.as_ref())?;
    Some(Ended {
        exit_code: ended.exit_code,
        reason: ended.reason.clone(),
    })
}

/// What a pod waits for: no node has room, an image is not pulled, a volume is not there.
fn waits_for(pod: &Pod) -> Option<String> {
    let waiting = states(pod).find_map(|state| {
        let waiting = state.waiting.as_ref()?;
        let reason = waiting.reason.clone().unwrap_or_default();
        Some(match &waiting.message {
            Some(message) => format!("{reason}: {message}"),
            None => reason,
        })
    });
    let unscheduled = || {
        let conditions = pod
            .status
            .iter()
            .flat_map(|status| status.conditions.iter().flatten());
        let mut failing = conditions.filter(|condition| condition.status == "False");
        failing.find_map(|condition| condition.message.clone())
    };
    waiting.or_else(unscheduled).map(|text| clean(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(state: &Value) -> Pod {
        let status = json!({"status": {"containerStatuses": [
            {"name": "a", "image": "a", "imageID": "", "ready": false, "restartCount": 0, "state": state}]}});
        serde_json::from_value(status).unwrap()
    }

    #[test]
    fn a_pod_waits_runs_and_ends() {
        let waiting =
            pod(&json!({"waiting": {"reason": "ErrImagePull", "message": "no\nsuch tag"}}));
        assert!(!has_begun(&waiting) && ended(&waiting).is_none());
        assert_eq!(
            waits_for(&waiting).as_deref(),
            Some("ErrImagePull: no such tag")
        );
        let running = pod(&json!({"running": {}}));
        assert!(has_begun(&running) && ended(&running).is_none());
        let killed = pod(&json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}));
        let expected = Ended {
            exit_code: 137,
            reason: Some("OOMKilled".to_owned()),
        };
        assert_eq!((has_begun(&killed), ended(&killed)), (true, Some(expected)));
    }

    #[test]
    fn a_pod_without_a_node_says_why() {
        let pod: Pod = serde_json::from_value(json!({"status": {"conditions": [
            {"type": "PodScheduled", "status": "False", "message": "no node has room"}]}}))
        .unwrap();
        assert_eq!(waits_for(&pod).as_deref(), Some("no node has room"));
        assert_eq!(waits_for(&Pod::default()), None);
    }
}
