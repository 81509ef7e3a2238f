//! A Job that is made for one task, from its beginning to the end of its pod.

use std::time::{Duration, Instant};

use futures_util::{AsyncBufReadExt as _, StreamExt as _};
use grove_cluster::{Connection, argo::clean};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ContainerStateTerminated, Pod},
};
use kube::{
    Api,
    api::{DeleteParams, ListParams, LogParams},
};
use serde_json::{Value, json};

use crate::{Around, Error, Event, Kind, Result};

/// How often the pod is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// After how long it is said what a pod waits for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A Job to be made and followed.
pub struct OneOff<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What is made: the Job first, then what goes when it does.
    pub objects: &'a [Value],
    /// What stands before each line that it writes, where several run at once.
    pub prefix: Option<String>,
    /// What is shown of a line that it writes.
    pub shown: fn(&str) -> String,
    /// How its log is read later.
    pub later: String,
    /// How long it is watched.
    pub patience: Duration,
}

/// Makes the objects of a task, the Job first, and gives the name of its pod once that runs.
pub async fn begin(
    connection: &Connection,
    namespace: &str,
    name: &str,
    objects: &[Value],
    patience: Duration,
    around: &Around,
) -> Result<String> {
    make(connection, name, objects).await?;
    let pods = Pods {
        api: Api::namespaced(connection.client().clone(), namespace),
        connection,
        job: name,
    };
    let pod = pods.started(Instant::now() + patience, around).await?;
    match ended(&pod) {
        None => Ok(pod.metadata.name.unwrap_or_default()),
        Some(ended) => Err(Error::new(
            Kind::Unhealthy,
            format!(
                "the pod of {name} ended at once, with exit code {}",
                ended.exit_code
            ),
        )),
    }
}

/// Ends a Job and its pods.
pub async fn end(connection: &Connection, namespace: &str, name: &str) -> Result<()> {
    let jobs: Api<Job> = Api::namespaced(connection.client().clone(), namespace);
    let doing = format!("delete jobs.batch/{name} in {namespace}");
    let background = DeleteParams::background();
    match connection.ask(&doing, jobs.delete(name, &background)).await {
        Err(error) if !error.is_absent() => Err(error.into()),
        _ => Ok(()),
    }
}

async fn make(connection: &Connection, name: &str, objects: &[Value]) -> Result<()> {
    let mut owner = None;
    for object in objects {
        let mut object = object.clone();
        if let Some(owner) = &owner {
            // It goes when the Job does.
            object["metadata"]["ownerReferences"] = json!([owner]);
        }
        connection.apply(&object, false).await?;
        if owner.is_none() {
            let made = connection.get(&object).await?.unwrap_or(Value::Null);
            owner = Some(json!({
                "apiVersion": "batch/v1", "kind": "Job", "name": name,
                "uid": made.pointer("/metadata/uid").cloned().unwrap_or_default(),
            }));
        }
    }
    Ok(())
}

/// Makes the Job, shows what its pod writes, and says how it ended; `begun` is told once it is made.
pub async fn run(
    connection: &Connection,
    task: &OneOff<'_>,
    begun: &str,
    around: &Around,
) -> Result<ContainerStateTerminated> {
    make(connection, task.name, task.objects).await?;
    around.note(begun);
    let deadline = Instant::now() + task.patience;
    let pods = Pods {
        api: Api::namespaced(connection.client().clone(), task.namespace),
        connection,
        job: task.name,
    };
    let pod = pods.started(deadline, around).await?;
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
                    Some(Ok(line)) => around.tell(&Event::Line {
                        from: task.prefix.as_deref(),
                        text: &(task.shown)(&line),
                    }),
                    Some(Err(_)) | None => break,
                },
                _ = looks.tick() => {
                    if is_over {
                        // Nothing came for as long as a look: not every server ends the log of what ended.
                        break;
                    }
                    if Instant::now() > deadline {
                        return Err(late(task));
                    }
                    is_over = pods.find().await?.as_ref().and_then(ended).is_some();
                }
            }
        }
    }
    pods.ended(deadline).await?.ok_or_else(|| late(task))
}

fn late(task: &OneOff<'_>) -> Error {
    Error::new(
        Kind::OutOfTime,
        format!("{} has not ended in time", task.name),
    )
    .hint(format!("it goes on: {}", task.later))
}

struct Pods<'a> {
    api: Api<Pod>,
    connection: &'a Connection,
    job: &'a str,
}

impl Pods<'_> {
    async fn find(&self) -> Result<Option<Pod>> {
        let own =
            ListParams::default().labels(&format!("batch.kubernetes.io/job-name={}", self.job));
        let doing = format!("list pods of jobs/{}", self.job);
        let list = self.connection.ask(&doing, self.api.list(&own)).await?;
        Ok(list.items.into_iter().next())
    }

    /// Waits until the pod runs or has ended.
    async fn started(&self, deadline: Instant, around: &Around) -> Result<Pod> {
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
                let why = why.as_deref().unwrap_or_default();
                around.note(&format!("{} waits: {why}", self.job));
                said = Some(why.to_owned());
            }
            if Instant::now() > deadline {
                let why = why.unwrap_or_else(|| "its pod has not started".to_owned());
                return Err(Error::new(
                    Kind::OutOfTime,
                    format!("{} has not begun in time: {why}", self.job),
                ));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Why the Job has no pod, where an event says so: a quota for instance.
    async fn refused(&self) -> Result<Option<String>> {
        use k8s_openapi::api::core::v1::Event;
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
    async fn ended(&self, deadline: Instant) -> Result<Option<ContainerStateTerminated>> {
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

fn states(pod: &Pod) -> impl Iterator<Item = &k8s_openapi::api::core::v1::ContainerState> {
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
fn ended(pod: &Pod) -> Option<ContainerStateTerminated> {
    states(pod).find_map(|state| state.terminated.clone())
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
