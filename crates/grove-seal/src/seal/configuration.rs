//! Configuration objects: sealed where they hold a secret, named by their content.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use super::{
    Error, Sealing, is_jobs_copy, object,
    references::Target,
    suffix,
    template::{bytes_to_template, to_template},
};
use crate::{names, placeholder};

/// Types of Secrets that no pod reads: the kubelet does when it pulls an image, and the ingress controller
/// when it serves a host. They keep their name, and may change.
const PODLESS_TYPES: [&str; 3] = [
    "kubernetes.io/dockerconfigjson",
    "kubernetes.io/dockercfg",
    "kubernetes.io/tls",
];

/// The type of a Secret that states none.
pub(super) const OPAQUE: &str = "Opaque";

/// What a `ConfigMap` or `Secret` becomes, and where references to it go.
pub(super) fn seal(before: &Value, sealing: &Sealing<'_>) -> Result<(Value, Target), Error> {
    let content = Content::read(before)?;
    let is_secret = object::kind(before) == "Secret";
    if content.names.is_empty() {
        return if is_secret {
            Err(Error::PlainSecret {
                object: object::title(before),
            })
        } else {
            Ok(plain(before, content))
        };
    }

    let kind = before
        .get("type")
        .and_then(Value::as_str)
        .filter(|kind| *kind != OPAQUE);
    let stable = is_jobs_copy(before) || kind.is_some_and(|kind| PODLESS_TYPES.contains(&kind));
    let encrypted = sealing.encrypted(&content.names)?;
    let logical = object::logical_name(before);
    let name = if stable {
        object::name(before).to_owned()
    } else {
        let hashed = json!([kind, content.templates, encrypted.fingerprints]);
        format!("{logical}-{}", suffix(&hashed))
    };

    let mut metadata = before.get("metadata").cloned().unwrap_or_default();
    let labels = metadata.get("labels").cloned();
    if let Some(map) = metadata.as_object_mut() {
        map.insert("namespace".to_owned(), sealing.namespace.into());
    }
    let keys = content.templates.keys().cloned().collect();
    let values = content.names.clone();
    // The type is always stated. Where the template has none, the controller takes the API server's
    // default for a difference and updates the Secret that it just made, and an immutable one with an
    // empty file refuses that.
    let mut template =
        json!({ "data": content.templates, "metadata": {}, "type": kind.unwrap_or(OPAQUE) });
    if let Some(labels) = labels {
        template["metadata"]["labels"] = labels;
    }
    if !stable {
        template["immutable"] = true.into();
    }
    let mut sealed = json!({
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": metadata,
        "spec": { "encryptedData": encrypted.data, "template": template },
    });
    object::annotate(&mut sealed, names::NAMESPACE_WIDE, "true");
    object::annotate(&mut sealed, names::SEALED_FROM, object::kind(before));
    if !stable {
        object::annotate(&mut sealed, names::NAME, logical);
    }
    object::rename(&mut sealed, name.clone());
    Ok((
        sealed,
        Target {
            name,
            sealed: true,
            keys,
            variables: content.variables,
            values,
        },
    ))
}

/// A `ConfigMap` without secrets: named by its content where it is to be, else as it was.
fn plain(before: &Value, content: Content) -> (Value, Target) {
    let mut object = before.clone();
    let target = |name: &str| Target {
        name: name.to_owned(),
        sealed: false,
        keys: content.templates.keys().cloned().collect(),
        variables: content.variables,
        values: BTreeSet::new(),
    };
    let logical = object::annotation(before, names::NAME).filter(|_| !is_jobs_copy(before));
    let Some(logical) = logical else {
        return (object, target(object::name(before)));
    };
    let hashed = json!([before.get("data"), before.get("binaryData")]);
    let name = format!("{logical}-{}", suffix(&hashed));
    object::rename(&mut object, name.clone());
    if let Some(map) = object.as_object_mut() {
        map.insert("immutable".to_owned(), true.into());
    }
    (object, target(&name))
}

/// What a configuration object holds, as templates.
struct Content {
    templates: Map<String, Value>,
    names: BTreeSet<String>,
    /// The keys that become variables of a container that takes all: those of a `ConfigMap`'s bytes
    /// do not.
    variables: Vec<String>,
}

impl Content {
    fn read(object: &Value) -> Result<Self, Error> {
        let mut content = Self {
            templates: Map::new(),
            names: BTreeSet::new(),
            variables: Vec::new(),
        };
        let secret = object::kind(object) == "Secret";
        for (field, encoded) in [
            ("data", secret),
            ("binaryData", true),
            ("stringData", false),
        ] {
            let map = match object.get(field) {
                None | Some(Value::Null) => continue,
                Some(Value::Object(map)) => map,
                Some(_) => return Err(Self::shape(object, field)),
            };
            for (key, value) in map {
                let path = || format!("{field}.{key}");
                let text = value.as_str().ok_or_else(|| Self::shape(object, &path()))?;
                if placeholder::any(key) {
                    continue; // found as misplaced by the caller
                }
                if secret || field == "data" {
                    content.variables.push(key.clone());
                }
                if encoded {
                    let bytes = BASE64_STANDARD
                        .decode(text)
                        .map_err(|_| Self::shape(object, &path()))?;
                    match String::from_utf8(bytes) {
                        Ok(text) => content.add(key, &text),
                        Err(error) => {
                            let template = bytes_to_template(error.as_bytes());
                            content.templates.insert(key.clone(), template.into());
                        }
                    }
                } else {
                    content.add(key, text);
                }
            }
        }
        Ok(content)
    }

    fn add(&mut self, key: &str, text: &str) {
        self.names
            .extend(placeholder::names(text).map(str::to_owned));
        self.templates
            .insert(key.to_owned(), to_template(text).into());
    }

    fn shape(object: &Value, path: &str) -> Error {
        Error::Shape {
            object: object::title(object),
            path: path.to_owned(),
        }
    }
}
