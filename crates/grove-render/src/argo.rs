//! What the Applications and projects of Argo CD that Grove writes have in common.

use serde_json::{Value, json};

/// The API server of the cluster in which Argo CD itself runs.
pub(crate) const SERVER: &str = "https://kubernetes.default.svc";

/// Where a namespace is, for a project or an Application.
pub(crate) fn destination(namespace: &str) -> Value {
    json!({"server": SERVER, "namespace": namespace})
}

/// The branch that Argo CD reads, fully qualified, so that no tag can take its place.
pub(crate) fn revision(cluster: &str) -> String {
    format!("refs/heads/deploy/{cluster}")
}

/// How a failed sync is tried again: with what the branch has by then.
pub(crate) fn retry() -> Value {
    json!({
        "limit": 5,
        "refresh": true,
        "backoff": {"duration": "5s", "factor": 2, "maxDuration": "1m"},
    })
}
