//! References to configuration objects: they follow its new name and kind.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::object;

/// What a configuration object became.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Its name now.
    pub(super) name: String,
    /// Whether it is a Secret that the controller opens, with its values as extra keys.
    pub(super) sealed: bool,
    /// Its keys without those values.
    pub(super) keys: Vec<String>,
}

/// Where references go, by kind and logical name.
#[derive(Debug, Default)]
pub(super) struct References {
    targets: BTreeMap<(String, String), Target>,
}

impl References {
    /// References to this object go to `target`.
    pub(super) fn insert(&mut self, kind: &str, name: &str, target: Target) {
        self.targets
            .insert((kind.to_owned(), name.to_owned()), target);
    }

    fn get(&self, kind: &str, name: Option<&Value>) -> Option<&Target> {
        self.targets
            .get(&(kind.to_owned(), name?.as_str()?.to_owned()))
    }

    /// Rewrites every reference in an object.
    pub(super) fn follow(&self, object: &mut Value) {
        match object::pod_spec_mut(object) {
            Some(pod) => self.pod(pod),
            None => self.other(object),
        }
    }

    fn pod(&self, pod: &mut Value) {
        for volume in elements(pod, "volumes") {
            self.volume(volume);
        }
        for secret in elements(pod, "imagePullSecrets") {
            self.rename(secret, "name", "Secret");
        }
        for container in object::containers_mut(pod) {
            self.all_keys(container);
            for variable in elements(container, "env") {
                if let Some(source) = variable.get_mut("valueFrom") {
                    self.replace(
                        source,
                        ["configMapKeyRef", "secretKeyRef"],
                        "name",
                        "name",
                        false,
                    );
                }
            }
        }
    }

    fn volume(&self, volume: &mut Value) {
        self.replace(volume, ["configMap", "secret"], "name", "secretName", true);
        if let Some(projected) = volume.get_mut("projected") {
            for source in elements(projected, "sources") {
                self.replace(source, ["configMap", "secret"], "name", "name", true);
            }
        }
    }

    /// Rewrites the reference that `holder` has under one of `fields` (a `ConfigMap`'s and a
    /// Secret's), whose names stand under `config_key` and `secret_key`.
    fn replace(
        &self,
        holder: &mut Value,
        fields: [&str; 2],
        config_key: &str,
        secret_key: &str,
        items: bool,
    ) {
        let [config, secret] = fields;
        let Some(map) = holder.as_object_mut() else {
            return;
        };
        if let Some(reference) = map.get_mut(config)
            && let Some(target) = self.get("ConfigMap", reference.get(config_key))
        {
            if target.sealed {
                if let Some(Value::Object(mut reference)) = map.remove(config) {
                    reference.remove(config_key);
                    reference.insert(secret_key.to_owned(), target.name.clone().into());
                    if items {
                        list_items(&mut reference, target);
                    }
                    map.insert(secret.to_owned(), reference.into());
                }
            } else {
                reference[config_key] = target.name.clone().into();
            }
            return;
        }
        if let Some(Value::Object(reference)) = map.get_mut(secret)
            && let Some(target) = self.get("Secret", reference.get(secret_key))
        {
            reference.insert(secret_key.to_owned(), target.name.clone().into());
            if items {
                list_items(reference, target);
            }
        }
    }

    /// Variables of every key of an object: one by one where it is sealed, since its values would
    /// come with them. What stands in `env` already wins, as it does over `envFrom`.
    fn all_keys(&self, container: &mut Value) {
        let Some(sources) = container.get_mut("envFrom").and_then(Value::as_array_mut) else {
            return;
        };
        let mut listed: Map<String, Value> = Map::new();
        sources.retain_mut(|source| {
            let prefix = source
                .get("prefix")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            for (field, kind) in [("configMapRef", "ConfigMap"), ("secretRef", "Secret")] {
                let Some(reference) = source.get_mut(field) else {
                    continue;
                };
                let Some(target) = self.get(kind, reference.get("name")) else {
                    continue;
                };
                if !target.sealed {
                    reference["name"] = target.name.clone().into();
                    return true;
                }
                for key in &target.keys {
                    let name = format!("{prefix}{key}");
                    let reference = json!({ "name": target.name, "key": key });
                    listed.insert(
                        name.clone(),
                        json!({ "name": name, "valueFrom": { "secretKeyRef": reference } }),
                    );
                }
                return false;
            }
            true
        });
        let empty = sources.is_empty();
        let Some(map) = container.as_object_mut() else {
            return;
        };
        if empty {
            map.remove("envFrom");
        }
        if listed.is_empty() {
            return;
        }
        let own = map.entry("env").or_insert_with(|| json!([]));
        if let Some(own) = own.as_array_mut() {
            for variable in own.iter() {
                if let Some(name) = variable.get("name").and_then(Value::as_str) {
                    listed.remove(name);
                }
            }
            own.splice(0..0, listed.into_values());
        }
    }

    /// References of objects that start no pod, by the fields that name a Secret: an Ingress'
    /// `secretName`, a Traefik middleware's `secret`, a custom resource's `secretRef`.
    fn other(&self, value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| self.other(value)),
            Value::Object(map) => {
                for (key, value) in map.iter_mut() {
                    match key.as_str() {
                        "secretName" | "secret" if value.is_string() => {
                            if let Some(target) = self.get("Secret", Some(value)) {
                                *value = target.name.clone().into();
                            }
                        }
                        "secretRef" | "secretKeyRef" => self.rename(value, "name", "Secret"),
                        "configMapRef" | "configMapKeyRef" => self.rename_plain(value),
                        "imagePullSecrets" => {
                            for secret in value.as_array_mut().into_iter().flatten() {
                                self.rename(secret, "name", "Secret");
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

    fn rename(&self, holder: &mut Value, key: &str, kind: &str) {
        if let Some(target) = self.get(kind, holder.get(key)) {
            holder[key] = target.name.clone().into();
        }
    }

    /// A reference to a `ConfigMap` that still is one.
    fn rename_plain(&self, holder: &mut Value) {
        if let Some(target) = self.get("ConfigMap", holder.get("name"))
            && !target.sealed
        {
            holder["name"] = target.name.clone().into();
        }
    }
}

/// Lists the keys of a sealed object that are files, where nobody chose among them.
fn list_items(reference: &mut Map<String, Value>, target: &Target) {
    let chosen = reference.get("items").is_some_and(|items| !items.is_null());
    if target.sealed && !chosen {
        let items: Vec<_> = target
            .keys
            .iter()
            .map(|key| json!({ "key": key, "path": key }))
            .collect();
        reference.insert("items".to_owned(), items.into());
    }
}

/// The elements of a list below `parent`; none where it is not there.
pub(super) fn elements<'a>(
    parent: &'a mut Value,
    key: &str,
) -> impl Iterator<Item = &'a mut Value> {
    parent
        .get_mut(key)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}
