//! A pod, by its name alone: what a state's lock says of its holder is a host, and a pod's host has the
//! pod's name.

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::ListParams};

use crate::{Connection, Error};

/// The label that Argo Workflows puts on the pods of a Workflow
/// (<https://argo-workflows.readthedocs.io/en/latest/fields/>).
const WORKFLOW: &str = "workflows.argoproj.io/workflow";

/// A pod that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPod {
    /// Its namespace.
    pub namespace: String,
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    pub phase: String,
    /// The Workflow whose step it is.
    pub workflow: Option<String>,
}

impl FoundPod {
    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase.as_str(), "Succeeded" | "Failed")
    }
}

/// The pods of a name, in all namespaces.
///
/// # Errors
///
/// A cluster that does not answer, or does not show pods to whoever asks.
pub async fn named(connection: &Connection, name: &str) -> Result<Vec<FoundPod>, Error> {
    let pods: Api<Pod> = Api::all(connection.client().clone());
    let one = ListParams::default().fields(&format!("metadata.name={name}"));
    let found = connection.ask("list pods", pods.list(&one)).await?;
    let found = found.items.into_iter().map(|pod| FoundPod {
        namespace: pod.metadata.namespace.unwrap_or_default(),
        phase: pod
            .status
            .and_then(|status| status.phase)
            .unwrap_or_default(),
        workflow: pod.metadata.labels.and_then(|mut all| all.remove(WORKFLOW)),
    });
    Ok(found.collect())
}
