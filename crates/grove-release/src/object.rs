//! What the release machinery reads from a Kubernetes object.

use std::collections::BTreeMap;

use grove_core::PREFIX;
use serde_json::Value;

/// Kubernetes objects by the name of their file, `<kind>-<name>.yaml`.
pub type Objects = BTreeMap<String, Value>;

/// The annotation of configuration that is kept for pods of an older release.
pub(crate) const RETAINED: &str = "retained";
/// The annotation of a Job of a release that a rollback left.
pub(crate) const LEFT_RELEASE: &str = "left-release";
/// The order in which Argo CD applies objects.
pub(crate) const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
/// Makes Argo CD go on whatever becomes of an object.
pub(crate) const IGNORE_HEALTH: &str = "argocd.argoproj.io/ignore-healthcheck";

/// An object's `kind`; empty where it has none.
pub(crate) fn kind(object: &Value) -> &str {
    object
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// An object's `metadata.name`; empty where it has none.
pub(crate) fn name(object: &Value) -> &str {
    object
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// One of an object's annotations by its whole name.
pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object
        .get("metadata")?
        .get("annotations")?
        .get(key)?
        .as_str()
}

/// One of our own annotations, by its name without the prefix.
pub(crate) fn ours<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    annotation(object, &format!("{PREFIX}/{name}"))
}

/// Whether one of our annotations says `true`.
pub(crate) fn is_marked(object: &Value, name: &str) -> bool {
    ours(object, name) == Some("true")
}

/// Sets an annotation by its whole name.
pub(crate) fn annotate(object: &mut Value, key: &str, value: &str) {
    let annotations = object
        .get_mut("metadata")
        .and_then(Value::as_object_mut)
        .map(|metadata| {
            metadata
                .entry("annotations")
                .or_insert_with(|| Value::Object(serde_json::Map::new()))
        })
        .and_then(Value::as_object_mut);
    if let Some(annotations) = annotations {
        annotations.insert(key.to_owned(), value.into());
    }
}

/// Takes an annotation out by its whole name, and `annotations` where it was the last.
pub(crate) fn unannotate(object: &mut Value, key: &str) {
    let Some(Value::Object(metadata)) = object.get_mut("metadata") else {
        return;
    };
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.remove(key);
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
}

/// Sets one of our annotations to `true`.
pub(crate) fn mark(object: &mut Value, name: &str) {
    annotate(object, &format!("{PREFIX}/{name}"), "true");
}

/// Whether an object is a Job.
pub(crate) fn is_job(object: &Value) -> bool {
    kind(object) == "Job"
}

/// The name without the hash that sealing adds.
pub(crate) fn logical_name(object: &Value) -> &str {
    ours(object, "name").unwrap_or_else(|| name(object))
}

/// Whether an object is configuration that only Jobs read, under a stable name.
pub(crate) fn is_jobs_copy(object: &Value) -> bool {
    is_marked(object, "jobs-copy")
}

/// Whether an object is configuration whose name changes with its content, so that pods of an older
/// release name an older one.
pub(crate) fn is_hashed_configuration(object: &Value) -> bool {
    matches!(kind(object), "ConfigMap" | "SealedSecret")
        && !is_jobs_copy(object)
        && ours(object, "name").is_some_and(|logical| logical != name(object))
}

/// An object's wave; 0 where it says none.
pub(crate) fn wave(object: &Value) -> i64 {
    annotation(object, SYNC_WAVE)
        .and_then(|wave| wave.parse().ok())
        .unwrap_or(0)
}
