//! From a sealed tree back to one with placeholders and logical names.
//!
//! Not a value is opened: a template says which it names. Sealing what comes out gives what went
//! in, where the values are the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    Error,
    configuration::OPAQUE,
    expansion::from_expansion,
    has_suffix, is_marked,
    object::{self, containers_mut},
    references::elements,
    template::{Content, from_template},
};
use crate::names;

/// Takes the sealing off a tree.
pub(super) fn unseal(objects: &BTreeMap<String, Value>) -> Result<BTreeMap<String, Value>, Error> {
    let mut origins = Origins::default();
    let mut out = BTreeMap::new();
    let mut others = Vec::new();
    for (file, object) in objects {
        if is_marked(object, names::RETAINED) || is_marked(object, names::LEFT_RELEASE) {
            continue;
        }
        match (
            object::kind(object),
            object::annotation(object, names::SEALED_FROM),
        ) {
            ("SealedSecret", Some("env")) => {
                origins.variables.insert(object::name(object).to_owned());
            }
            ("SealedSecret", Some(kind)) => {
                let restored = open(object, kind)?;
                let logical = object::logical_name(object).to_owned();
                origins
                    .secrets
                    .insert(object::name(object).to_owned(), (kind.to_owned(), logical));
                put(&mut out, object::file(&restored), restored)?;
            }
            ("ConfigMap", None) if suffixed(object).is_some() => {
                let logical = object::logical_name(object).to_owned();
                let mut restored = object.clone();
                if let Some(map) = restored.as_object_mut() {
                    map.remove("immutable");
                }
                object::rename(&mut restored, logical.clone());
                origins
                    .configs
                    .insert(object::name(object).to_owned(), logical);
                put(&mut out, object::file(&restored), restored)?;
            }
            _ => others.push((file, object)),
        }
    }
    for (file, object) in others {
        let mut restored = object.clone();
        origins.restore(&mut restored);
        let mut file = file.clone();
        if object::kind(object) == "Job"
            && let Some(logical) = suffixed(object)
        {
            object::rename(&mut restored, logical.to_owned());
            file = object::file(&restored);
        }
        put(&mut out, file, restored)?;
    }
    Ok(out)
}

fn put(out: &mut BTreeMap<String, Value>, file: String, object: Value) -> Result<(), Error> {
    if out.contains_key(&file) {
        return Err(Error::Clash { file });
    }
    out.insert(file, object);
    Ok(())
}

/// The logical name of an object whose name ends in a hash.
fn suffixed(object: &Value) -> Option<&str> {
    object::annotation(object, names::NAME)
        .filter(|logical| has_suffix(object::name(object), logical))
}

/// The configuration object that a `SealedSecret` was.
fn open(sealed: &Value, kind: &str) -> Result<Value, Error> {
    let shape = |path: &str| Error::Shape {
        object: object::title(sealed),
        path: path.to_owned(),
    };
    let templates = sealed
        .pointer("/spec/template/data")
        .and_then(Value::as_object)
        .ok_or_else(|| shape("spec.template.data"))?;
    let mut texts = Map::new();
    let mut bytes = Map::new();
    for (key, template) in templates {
        let content = template.as_str().and_then(from_template);
        match content.ok_or_else(|| shape(&format!("spec.template.data.{key}")))? {
            Content::Text(text) => texts.insert(key.clone(), text.into()),
            Content::Bytes(encoded) => bytes.insert(key.clone(), encoded.into()),
        };
    }
    let (text_field, bytes_field) = match kind {
        "ConfigMap" => ("data", "binaryData"),
        "Secret" => ("stringData", "data"),
        _ => return Err(shape("metadata.annotations")),
    };
    let mut metadata = sealed.get("metadata").cloned().unwrap_or_default();
    if let Some(annotations) = metadata
        .get_mut("annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.remove(names::NAMESPACE_WIDE);
        annotations.remove(names::SEALED_FROM);
    }
    let mut object = json!({ "apiVersion": "v1", "kind": kind, "metadata": metadata });
    object::rename(&mut object, object::logical_name(sealed).to_owned());
    for (field, map) in [(text_field, texts), (bytes_field, bytes)] {
        if !map.is_empty() {
            object[field] = map.into();
        }
    }
    if let Some(kind) = sealed
        .pointer("/spec/template/type")
        .filter(|kind| *kind != OPAQUE)
    {
        object["type"] = kind.clone();
    }
    Ok(object)
}

/// What the names in a sealed tree stand for.
#[derive(Default)]
struct Origins {
    /// Secrets by name: what they were, and their logical name.
    secrets: BTreeMap<String, (String, String)>,
    /// Logical names of `ConfigMap`s by name.
    configs: BTreeMap<String, String>,
    /// Names of Secrets of variables.
    variables: BTreeSet<String>,
}

impl Origins {
    fn restore(&self, object: &mut Value) {
        let Some(pod) = object::pod_spec_mut(object) else {
            self.other(object);
            return;
        };
        for volume in elements(pod, "volumes") {
            self.replace(volume, "configMap", "secret", "secretName");
            if let Some(projected) = volume.get_mut("projected") {
                for source in elements(projected, "sources") {
                    self.replace(source, "configMap", "secret", "name");
                }
            }
        }
        for secret in elements(pod, "imagePullSecrets") {
            self.rename_secret(secret);
        }
        for container in containers_mut(pod) {
            for source in elements(container, "envFrom") {
                self.rename_config(source.get_mut("configMapRef"));
            }
            self.variables(container);
        }
    }

    fn replace(&self, holder: &mut Value, config: &str, secret: &str, secret_key: &str) {
        let Some(map) = holder.as_object_mut() else {
            return;
        };
        self.rename_config(map.get_mut(config));
        let named = map
            .get(secret)
            .and_then(|reference| reference.get(secret_key)?.as_str());
        let Some((kind, logical)) = named.and_then(|name| self.secrets.get(name)) else {
            return;
        };
        let Some(Value::Object(mut reference)) = map.remove(secret) else {
            return;
        };
        if kind == "ConfigMap" {
            reference.remove(secret_key);
            reference.insert("name".to_owned(), logical.clone().into());
            map.insert(config.to_owned(), reference.into());
        } else {
            reference.insert(secret_key.to_owned(), logical.clone().into());
            map.insert(secret.to_owned(), reference.into());
        }
    }

    /// Puts placeholders back into a container's texts.
    fn variables(&self, container: &mut Value) {
        for field in ["command", "args"] {
            for text in elements(container, field) {
                restore_text(text);
            }
        }
        let Some(own) = container.get_mut("env").and_then(Value::as_array_mut) else {
            return;
        };
        let before = own.len();
        own.retain_mut(|variable| {
            let reference = variable.pointer("/valueFrom/secretKeyRef");
            let part = |key: &str| reference.and_then(|reference| reference.get(key)?.as_str());
            if let (Some(secret), Some(key)) = (part("name"), part("key"))
                && self.variables.contains(secret)
            {
                let named = variable
                    .get("name")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                if named.starts_with(names::VARIABLE) {
                    return false;
                }
                let value = format!("@@{key}@@");
                if let Some(map) = variable.as_object_mut() {
                    map.remove("valueFrom");
                    map.insert("value".to_owned(), value.into());
                }
                return true;
            }
            if let Some(value) = variable.get_mut("value") {
                restore_text(value);
            }
            if let Some(source) = variable.get_mut("valueFrom") {
                self.replace(source, "configMapKeyRef", "secretKeyRef", "name");
            }
            true
        });
        if own.is_empty()
            && before > 0
            && let Some(map) = container.as_object_mut()
        {
            map.remove("env");
        }
    }

    fn rename_config(&self, reference: Option<&mut Value>) {
        let Some(reference) = reference else { return };
        let name = reference.get("name").and_then(Value::as_str);
        if let Some(logical) = name.and_then(|name| self.configs.get(name)) {
            reference["name"] = logical.clone().into();
        }
    }

    fn rename_secret(&self, reference: &mut Value) {
        let name = reference.get("name").and_then(Value::as_str);
        if let Some((_, logical)) = name.and_then(|name| self.secrets.get(name)) {
            reference["name"] = logical.clone().into();
        }
    }

    /// The counterpart of what sealing does to objects that start no pod.
    fn other(&self, value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| self.other(value)),
            Value::Object(map) => {
                for (key, value) in map.iter_mut() {
                    match key.as_str() {
                        "secretName" | "secret" if value.is_string() => {
                            let name = value.as_str().unwrap_or_default();
                            if let Some((_, logical)) = self.secrets.get(name) {
                                *value = logical.clone().into();
                            }
                        }
                        "secretRef" | "secretKeyRef" => self.rename_secret(value),
                        "configMapRef" | "configMapKeyRef" => self.rename_config(Some(value)),
                        "imagePullSecrets" => {
                            for secret in value.as_array_mut().into_iter().flatten() {
                                self.rename_secret(secret);
                            }
                        }
                        "metadata" => {}
                        _ => self.other(value),
                    }
                }
            }
            _ => {}
        }
    }
}

fn restore_text(value: &mut Value) {
    if let Value::String(text) = value
        && text.contains(names::VARIABLE)
    {
        *text = from_expansion(text);
    }
}
