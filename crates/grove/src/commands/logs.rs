//! `grove logs`.

use std::{collections::BTreeSet, time::Duration};

use clap_complete::ArgValueCandidates;
use futures_util::{AsyncBufReadExt as _, StreamExt as _, stream::SelectAll};
use grove_cluster::{Connection, argo::clean};
use grove_fleet::model::Instance;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::{ListParams, LogParams},
};

use crate::{
    cli::Global,
    commands::{
        candidates,
        rollback::{address, find, find_cluster},
    },
    connecting::{Reach, block_on},
    error::{CommandError, Exit, Result},
    output::Output,
    workspace::{Workspace, is_json},
};

/// Show what the pods of an instance wrote.
///
/// Each line begins with its pod. A service is a workload's name, such as `lms` or `cms-worker`, or
/// an init task's, such as `lms-migrate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove logs prod/uni\n\
    \x20 grove logs prod/uni lms --tail 200\n\
    \x20 grove logs prod/uni lms --follow\n\
    \x20 grove logs prod/uni lms-migrate")]
pub(crate) struct Arguments {
    /// The instance, as `cluster/instance`.
    #[arg(add = ArgValueCandidates::new(candidates::instances))]
    instance: String,
    /// Only pods of this service or init task.
    service: Option<String>,
    /// At most this many lines of each pod, the last ones.
    #[arg(long, value_name = "N", default_value_t = 50)]
    tail: i64,
    /// What the container wrote before it was last restarted.
    #[arg(long)]
    previous: bool,
    /// Go on with what they write, and with pods that start meanwhile, until it is interrupted.
    #[arg(long, short, conflicts_with = "previous")]
    follow: bool,
    #[command(flatten)]
    reach: Reach,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let address = address(&arguments.instance)?;
    let instance = find(&fleet, &address)?;
    let cluster = find_cluster(&fleet, &address.cluster)?;
    if arguments.follow {
        return block_on(async {
            let connection = arguments.reach.connect(cluster).await?;
            follow(arguments, &connection, instance, output).await
        });
    }
    let found = block_on(async {
        let connection = arguments.reach.connect(cluster).await?;
        read(arguments, &connection, instance).await
    })?;
    if found.is_empty() {
        let what = arguments
            .service
            .as_deref()
            .map_or_else(String::new, |service| format!(" of `{service}`"));
        return Err(
            CommandError::new(Exit::No, format!("{address} has no pod{what}"))
                .hint("`grove status` shows whether it runs"),
        );
    }
    if is_json(output) {
        let pods: Vec<_> = found
            .iter()
            .map(|(pod, lines)| serde_json::json!({"pod": pod, "lines": lines}))
            .collect();
        output.json(&serde_json::json!({"version": 1, "instance": address, "pods": pods}))?;
        return Ok(Exit::Done);
    }
    for (pod, lines) in found {
        for line in lines {
            output.print(&format!("{pod}: {line}\n"))?;
        }
    }
    Ok(Exit::Done)
}

/// The pods that are meant, by name.
async fn pods(
    arguments: &Arguments,
    connection: &Connection,
    instance: &Instance,
) -> Result<(Api<Pod>, Vec<(String, Pod)>)> {
    let namespace = &instance.identity.namespace;
    let pods: Api<Pod> = Api::namespaced(connection.client().clone(), namespace);
    let doing = format!("list pods in {namespace}");
    let all = ListParams::default();
    let list = connection.ask(&doing, pods.list(&all)).await?;
    let named = list
        .items
        .into_iter()
        .filter_map(|pod| Some((pod.metadata.name.clone()?, pod)));
    let service = arguments.service.as_deref();
    let meant = named
        .filter(|(name, pod)| service.is_none_or(|service| is_of(pod, name, service)))
        .collect();
    Ok((pods, meant))
}

async fn read(
    arguments: &Arguments,
    connection: &Connection,
    instance: &Instance,
) -> Result<Vec<(String, Vec<String>)>> {
    let (api, pods) = pods(arguments, connection, instance).await?;
    let mut found = Vec::new();
    for (name, _) in pods {
        let parameters = LogParams {
            tail_lines: Some(arguments.tail),
            limit_bytes: Some(8 << 20),
            previous: arguments.previous,
            ..LogParams::default()
        };
        let doing = format!("get the log of pods/{name}");
        let lines = match connection.ask(&doing, api.logs(&name, &parameters)).await {
            Ok(text) => text.lines().map(clean).collect(),
            // A container that has not started has written nothing.
            Err(grove_cluster::Error::Rejected { message, .. }) => {
                vec![format!("({})", clean(&message))]
            }
            Err(error) => return Err(error.into()),
        };
        found.push((name, lines));
    }
    Ok(found)
}

/// How often pods are looked for that started meanwhile.
const LOOK: Duration = Duration::from_secs(2);

async fn follow(
    arguments: &Arguments,
    connection: &Connection,
    instance: &Instance,
    output: &Output,
) -> Result {
    let mut lines = SelectAll::new();
    // A container that was restarted begins another log.
    let mut followed = BTreeSet::new();
    let mut looks = tokio::time::interval(LOOK);
    let mut is_first = true;
    loop {
        tokio::select! {
            Some((pod, line)) = lines.next() => {
                let line: std::io::Result<String> = line;
                let Ok(line) = line else { continue };
                let line = clean(&line);
                if is_json(output) {
                    output.json_line(&serde_json::json!({"pod": pod, "line": line}))?;
                } else {
                    output.print(&format!("{pod}: {line}\n"))?;
                }
            }
            _ = looks.tick() => {
                let (api, pods) = pods(arguments, connection, instance).await?;
                for (name, pod) in pods {
                    let log = (pod.metadata.uid.clone(), restarts(&pod));
                    if followed.contains(&log) {
                        continue;
                    }
                    let parameters = LogParams {
                        follow: true,
                        // Of what starts meanwhile, everything.
                        tail_lines: is_first.then_some(arguments.tail),
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
                        Err(grove_cluster::Error::Rejected { .. } | grove_cluster::Error::Absent { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                if is_first && followed.is_empty() {
                    output.note("no pod has begun to write yet; waiting for one");
                }
                is_first = false;
            }
        }
    }
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
