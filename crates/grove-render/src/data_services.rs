//! Which workloads keep an instance's data, or serve those that do, inside its namespace.

use serde_json::Value;

use crate::{Error, object::Object, pod};

/// Services that init tasks talk to: they run before the first task does.
const KNOWN: &[&str] = &[
    "clickhouse",
    "elasticsearch",
    "mariadb",
    "meilisearch",
    "memcached",
    "minio",
    "mongodb",
    "mysql",
    "opensearch",
    "postgresql",
    "rabbitmq",
    "redis",
    "smtp",
];

/// Workloads that wait for every task, even where an operator gives them a volume.
const NEVER: &[&str] = &["caddy", "cms", "cms-worker", "lms", "lms-worker", "mfe"];

/// Whether `workload` serves data: it is known to, it is a `StatefulSet`, or it mounts a claim.
pub(crate) fn is_data_service(workload: &Object) -> bool {
    match workload.kind() {
        "StatefulSet" => true,
        "Deployment" => {
            KNOWN.contains(&workload.name())
                || !NEVER.contains(&workload.name()) && claims(workload).next().is_some()
        }
        _ => false,
    }
}

/// The claims that the pods of `workload` mount.
pub(crate) fn claims(workload: &Object) -> impl Iterator<Item = &str> {
    workload
        .pod_template()
        .into_iter()
        .flat_map(pod::volumes)
        .filter_map(|volume| volume.pointer("/persistentVolumeClaim/claimName"))
        .filter_map(Value::as_str)
}

/// The error for more than one pod of what keeps data.
pub(crate) fn scaled(workload: &str) -> Error {
    Error::new(
        format!("{workload} keeps data on one volume, and two pods of it would spoil it"),
        "leave it at one",
    )
}
