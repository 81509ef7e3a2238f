//! Which workloads keep an Application from being healthy.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use grove_cluster::{
    Connection, Error,
    argo::{clean, unopened},
};
use k8s_openapi::api::{
    apps::v1::{Deployment, DeploymentStatus},
    batch::v1::Job,
};
use kube::{Api, api::ListParams};

use crate::facts::Facts;

/// The most namespaces that are looked into.
const NAMESPACES: usize = 20;
/// How many of them at once.
const AT_ONCE: usize = 4;
/// The most workloads that are named of a namespace.
const MOST: usize = 5;
/// Jobs of an earlier release, which do not count.
const IGNORED: &str = "argocd.argoproj.io/ignore-healthcheck";

/// Namespace → sealed secrets that could not be opened, Jobs that failed, and Deployments that are not
/// all ready.
pub(crate) async fn unready(
    connection: &Connection,
    facts: &Facts,
) -> Result<BTreeMap<String, Vec<String>>, Error> {
    stream::iter(facts.unhealthy(NAMESPACES))
        .map(|namespace| async move {
            let client = connection.client();
            let deployments: Api<Deployment> = Api::namespaced(client.clone(), &namespace);
            let jobs: Api<Job> = Api::namespaced(client.clone(), &namespace);
            let all = ListParams::default();
            let (sealed, deployments, jobs) = tokio::try_join!(
                unopened(connection, &namespace),
                connection.ask("list deployments.apps", deployments.list(&all)),
                connection.ask("list jobs.batch", jobs.list(&all)),
            )?;
            let failed = jobs.items.iter().filter_map(failed);
            let waiting = deployments.items.iter().filter_map(waiting);
            let sealed = sealed
                .iter()
                .map(|(name, reason)| format!("SealedSecret/{name} {reason}"));
            let found: Vec<String> = sealed.chain(failed).chain(waiting).take(MOST).collect();
            Ok((namespace, found))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

fn failed(job: &Job) -> Option<String> {
    let annotations = job.metadata.annotations.as_ref();
    if annotations.is_some_and(|annotations| annotations.contains_key(IGNORED)) {
        return None;
    }
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let condition = conditions
        .iter()
        .find(|condition| condition.type_ == "Failed" && condition.status == "True")?;
    Some(clean(&format!(
        "Job/{} failed: {}",
        job.metadata.name.as_deref().unwrap_or_default(),
        condition.reason.as_deref().unwrap_or("no reason is given")
    )))
}

fn waiting(deployment: &Deployment) -> Option<String> {
    let wanted = deployment.spec.as_ref()?.replicas.unwrap_or(1);
    let status = deployment.status.as_ref();
    let number =
        |number: fn(&DeploymentStatus) -> Option<i32>| status.and_then(number).unwrap_or(0);
    let ready = number(|status| status.ready_replicas);
    let updated = number(|status| status.updated_replicas);
    (ready < wanted || updated < wanted).then(|| {
        clean(&format!(
            "Deployment/{}: {updated} of {wanted} pods are new, {ready} ready",
            deployment.metadata.name.as_deref().unwrap_or_default()
        ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_workload_is_named_only_where_it_waits() {
        let deployment = |status: serde_json::Value| -> Option<String> {
            waiting(
                &serde_json::from_value(json!({"metadata": {"name": "lms"},
                    "spec": {"replicas": 2, "selector": {}, "template": {}}, "status": status}))
                .unwrap(),
            )
        };
        assert_eq!(
            deployment(json!({"readyReplicas": 2, "updatedReplicas": 2})),
            None
        );
        assert_eq!(
            deployment(json!({"readyReplicas": 2})).as_deref(),
            Some("Deployment/lms: 0 of 2 pods are new, 2 ready")
        );
        let job = |annotations: serde_json::Value| -> Option<String> {
            failed(
                &serde_json::from_value(json!({
                    "metadata": {"name": "lms-migrate-1", "annotations": annotations},
                    "status": {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}}))
                .unwrap(),
            )
        };
        assert_eq!(
            job(json!({})).as_deref(),
            Some("Job/lms-migrate-1 failed: BackoffLimitExceeded")
        );
        assert_eq!(job(json!({IGNORED: "true"})), None);
    }
}
