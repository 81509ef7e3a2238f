//! Reading Kubernetes objects.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

use crate::{names, placeholder};

pub(crate) fn kind(object: &Value) -> &str {
    object
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

pub(crate) fn name(object: &Value) -> &str {
    object
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// `Kind name`, for people.
pub(crate) fn title(object: &Value) -> String {
    format!("{} {}", kind(object), name(object))
}

/// `<kind>-<name>.yaml`, lower case.
pub(crate) fn file(object: &Value) -> String {
    format!("{}-{}.yaml", kind(object).to_lowercase(), name(object))
}

pub(crate) fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object
        .get("metadata")?
        .get("annotations")?
        .get(name)?
        .as_str()
}

/// The name by which others of the tree refer to an object. A copy for Jobs goes by its own name.
pub(crate) fn logical_name(object: &Value) -> &str {
    match annotation(object, names::JOBS_COPY) {
        Some("true") => name(object),
        _ => annotation(object, names::NAME).unwrap_or_else(|| name(object)),
    }
}

/// A map below `parent`, made where it is not there; none where something else stands there.
pub(crate) fn map_mut<'a>(parent: &'a mut Value, key: &str) -> Option<&'a mut Map<String, Value>> {
    let child = parent
        .as_object_mut()?
        .entry(key)
        .or_insert_with(|| Map::new().into());
    if child.is_null() {
        *child = Map::new().into();
    }
    child.as_object_mut()
}

/// Sets an annotation.
pub(crate) fn annotate(object: &mut Value, name: &str, value: &str) {
    if let Some(metadata) = object.get_mut("metadata")
        && let Some(annotations) = map_mut(metadata, "annotations")
    {
        annotations.insert(name.to_owned(), value.into());
    }
}

/// Sets the name in the metadata.
pub(crate) fn rename(object: &mut Value, name: String) {
    if let Some(metadata) = map_mut(object, "metadata") {
        metadata.insert("name".to_owned(), name.into());
    }
}

/// Whether an object is a `ConfigMap` or a `Secret`.
pub(crate) fn is_configuration(object: &Value) -> bool {
    object.get("apiVersion").and_then(Value::as_str) == Some("v1")
        && matches!(kind(object), "ConfigMap" | "Secret")
}

/// The texts that a configuration object holds in base64, by key. Bytes that are no text are left
/// out: they hold no placeholder.
pub(crate) fn encoded_texts(object: &Value) -> Vec<(&str, String)> {
    if !is_configuration(object) {
        return Vec::new();
    }
    let field = if kind(object) == "Secret" {
        "data"
    } else {
        "binaryData"
    };
    let data = object.get(field).and_then(Value::as_object);
    data.into_iter()
        .flatten()
        .filter_map(|(key, value)| {
            let bytes = BASE64_STANDARD.decode(value.as_str()?).ok()?;
            Some((key.as_str(), String::from_utf8(bytes).ok()?))
        })
        .collect()
}

/// The template of the pods that an object starts, or of the pod that it is.
pub(crate) fn pod_spec(object: &Value) -> Option<&Value> {
    object.pointer(pod_spec_pointer(object)?)
}

/// As [`pod_spec`], to change it.
pub(crate) fn pod_spec_mut(object: &mut Value) -> Option<&mut Value> {
    let pointer = pod_spec_pointer(object)?;
    object.pointer_mut(pointer)
}

fn pod_spec_pointer(object: &Value) -> Option<&'static str> {
    match kind(object) {
        "Pod" => Some("/spec"),
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "ReplicationController"
        | "Job" => Some("/spec/template/spec"),
        "CronJob" => Some("/spec/jobTemplate/spec/template/spec"),
        _ => None,
    }
}

/// The containers of a pod, those that run first among them.
pub(crate) fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers"]
        .into_iter()
        .filter_map(|key| pod.get(key)?.as_array())
        .flatten()
}

/// As [`containers`], to change them.
pub(crate) fn containers_mut(pod: &mut Value) -> impl Iterator<Item = &mut Value> {
    let map = pod.as_object_mut().into_iter().flatten();
    map.filter(|(key, _)| matches!(key.as_str(), "initContainers" | "containers"))
        .filter_map(|(_, value)| value.as_array_mut())
        .flatten()
}

/// Where in an object the placeholder of a secret stands, as `spec.rules[0].host`.
pub(crate) fn path_of(object: &Value, name: &str) -> String {
    fn find(value: &Value, name: &str, path: &str) -> Option<String> {
        let holds = |text: &str| placeholder::names(text).any(|found| found == name);
        match value {
            Value::String(text) => holds(text).then(|| path.to_owned()),
            Value::Array(values) => values
                .iter()
                .enumerate()
                .find_map(|(index, value)| find(value, name, &format!("{path}[{index}]"))),
            Value::Object(map) => map.iter().find_map(|(key, value)| {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                if holds(key) {
                    Some(path)
                } else {
                    find(value, name, &path)
                }
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }
    find(object, name, "").unwrap_or_default()
}
