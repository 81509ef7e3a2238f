//! Secrets of containers: values of `env`, and texts of `command` and `args`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Error, Sealing, configuration::OPAQUE, expansion::to_expansion, object, suffix};
use crate::{
    names,
    placeholder::{self, Piece, pieces},
};

/// Who reads secrets as variables: one workload, or all Jobs.
#[derive(Debug, Default)]
pub(super) struct Readers {
    /// Their Secret's logical name; none where nobody reads any.
    name: Option<String>,
    /// Whether that name stays as it is, and the Secret may change.
    stable: bool,
    names: BTreeSet<String>,
    /// The labels that all of them have.
    labels: Option<BTreeMap<String, String>>,
}

impl Readers {
    /// The readers of one object.
    fn of(object: &Value) -> Self {
        let mut names = BTreeSet::new();
        for container in object::pod_spec(object)
            .into_iter()
            .flat_map(object::containers)
        {
            for field in ["command", "args"] {
                if let Some(value) = container.get(field) {
                    placeholder::collect(value, &mut names);
                }
            }
            for variable in container
                .get("env")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                if let Some(value) = variable.get("value") {
                    placeholder::collect(value, &mut names);
                }
            }
        }
        if names.is_empty() {
            return Self::default();
        }
        let stable = object::kind(object) == "Job";
        let workload = object::logical_name(object);
        let name = match object::kind(object) {
            "Job" => names::JOBS_ENV.to_owned(),
            "Deployment" => format!("env-{workload}"),
            kind => format!("env-{}-{workload}", kind.to_lowercase()),
        };
        let labels = object
            .pointer("/metadata/labels")
            .and_then(Value::as_object);
        let labels = labels.into_iter().flatten();
        Self {
            name: Some(name),
            stable,
            names,
            labels: Some(
                labels
                    .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                    .collect(),
            ),
        }
    }

    /// Adds other readers of the same Secret.
    pub(super) fn join(&mut self, other: Self) {
        if other.name.is_none() {
            return;
        }
        self.name = other.name;
        self.stable = other.stable;
        self.names.extend(other.names);
        self.labels = match (self.labels.take(), other.labels) {
            (Some(mut own), Some(other)) => {
                own.retain(|key, value| other.get(key) == Some(value));
                Some(own)
            }
            (own, other) => own.or(other),
        };
    }

    /// The name that their Secret has in the cluster.
    fn secret_name(&self, sealing: &Sealing<'_>) -> Result<Option<String>, Error> {
        let Some(name) = &self.name else {
            return Ok(None);
        };
        if self.stable {
            return Ok(Some(name.clone()));
        }
        let fingerprints = sealing.encrypted(&self.names)?.fingerprints;
        Ok(Some(format!(
            "{name}-{}",
            suffix(&json!(["env", name, fingerprints]))
        )))
    }

    /// Their Secret, sealed; none where nobody reads any.
    pub(super) fn into_secret(self, sealing: &Sealing<'_>) -> Result<Option<Value>, Error> {
        let Some(name) = self.secret_name(sealing)? else {
            return Ok(None);
        };
        let labels = self.labels.unwrap_or_default();
        let mut annotations = Map::new();
        annotations.insert(names::NAMESPACE_WIDE.to_owned(), "true".into());
        annotations.insert(names::SEALED_FROM.to_owned(), "env".into());
        let mut template = json!({ "metadata": { "labels": labels }, "type": OPAQUE });
        if self.stable {
            annotations.insert(names::JOBS_COPY.to_owned(), "true".into());
        } else {
            annotations.insert(names::NAME.to_owned(), self.name.unwrap_or_default().into());
            template["immutable"] = true.into();
        }
        Ok(Some(json!({
            "apiVersion": "bitnami.com/v1alpha1",
            "kind": "SealedSecret",
            "metadata": {
                "name": name,
                "namespace": sealing.namespace,
                "labels": labels,
                "annotations": annotations,
            },
            "spec": {
                "encryptedData": sealing.encrypted(&self.names)?.data,
                "template": template,
            },
        })))
    }
}

/// Replaces the placeholders in an object's containers by references to the Secret of the readers
/// that it gives.
pub(super) fn move_out(object: &mut Value, sealing: &Sealing<'_>) -> Result<Readers, Error> {
    let readers = Readers::of(object);
    let Some(secret) = readers.secret_name(sealing)? else {
        return Ok(readers);
    };
    let reserved = Error::Reserved {
        object: object::title(object),
    };
    if let Some(pod) = object::pod_spec_mut(object) {
        for container in object::containers_mut(pod) {
            if !container_texts(container, &secret) {
                return Err(reserved);
            }
        }
    }
    Ok(readers)
}

/// Rewrites one container; false where it uses names that are ours.
fn container_texts(container: &mut Value, secret: &str) -> bool {
    let mut variables = BTreeSet::new();
    let mut expand = |value: &mut Value| -> bool {
        let Value::String(text) = value else {
            return true;
        };
        if !placeholder::any(text) {
            return true;
        }
        let Some(expansion) = to_expansion(text) else {
            return false;
        };
        variables.extend(placeholder::names(text).map(str::to_owned));
        *text = expansion;
        true
    };
    for field in ["command", "args"] {
        let texts = container.get_mut(field).and_then(Value::as_array_mut);
        if !texts.into_iter().flatten().all(&mut expand) {
            return false;
        }
    }
    let own = container.get_mut("env").and_then(Value::as_array_mut);
    for variable in own.into_iter().flatten() {
        let named = variable
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if named.starts_with(names::VARIABLE) {
            return false;
        }
        let whole = match variable
            .get("value")
            .and_then(Value::as_str)
            .map(pieces)
            .as_deref()
        {
            Some([Piece::Name(name)]) => Some((*name).to_owned()),
            _ => None,
        };
        if let (Some(name), Some(map)) = (whole, variable.as_object_mut()) {
            map.remove("value");
            map.insert("valueFrom".to_owned(), key_reference(secret, &name));
        } else if let Some(value) = variable.get_mut("value")
            && !expand(value)
        {
            return false;
        }
    }
    if variables.is_empty() {
        return true;
    }
    // First, since a value may only speak of variables before it.
    let new = variables.iter().map(|name| {
        json!({
            "name": format!("{}{name}", names::VARIABLE),
            "valueFrom": key_reference(secret, name),
        })
    });
    let Some(map) = container.as_object_mut() else {
        return true;
    };
    let own = map.entry("env").or_insert_with(|| json!([]));
    if own.is_null() {
        *own = json!([]);
    }
    if let Some(own) = own.as_array_mut() {
        own.splice(0..0, new);
    }
    true
}

pub(super) fn key_reference(secret: &str, key: &str) -> Value {
    json!({ "secretKeyRef": { "name": secret, "key": key } })
}
