//! `grove logs`.

use clap_complete::ArgValueCandidates;
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
    #[command(flatten)]
    reach: Reach,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let address = address(&arguments.instance)?;
    let instance = find(&fleet, &address)?;
    let cluster = find_cluster(&fleet, &address.cluster)?;
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

async fn read(
    arguments: &Arguments,
    connection: &Connection,
    instance: &Instance,
) -> Result<Vec<(String, Vec<String>)>> {
    let namespace = &instance.identity.namespace;
    let pods: Api<Pod> = Api::namespaced(connection.client().clone(), namespace);
    let list = connection
        .ask(
            &format!("list pods in {namespace}"),
            pods.list(&ListParams::default()),
        )
        .await?;
    let mut found = Vec::new();
    for pod in list.items {
        let Some(name) = pod.metadata.name.clone() else {
            continue;
        };
        if let Some(service) = &arguments.service
            && !is_of(&pod, &name, service)
        {
            continue;
        }
        let parameters = LogParams {
            tail_lines: Some(arguments.tail),
            limit_bytes: Some(8 << 20),
            previous: arguments.previous,
            ..LogParams::default()
        };
        let doing = format!("get the log of pods/{name} in {namespace}");
        let lines = match connection.ask(&doing, pods.logs(&name, &parameters)).await {
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
