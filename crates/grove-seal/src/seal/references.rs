//! References to configuration objects: they follow its new name and kind, and give a pod what they
//! gave it before.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Error, object, projected, variables};

/// What a configuration object became.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Its name now.
    pub(super) name: String,
    /// Whether it is a Secret that the controller opens, with its values as extra keys.
    pub(super) sealed: bool,
    /// Its keys without those values.
    pub(super) keys: Vec<String>,
    /// The keys that it gives to a container that takes all as variables.
    pub(super) variables: Vec<String>,
    /// The names of those values.
    pub(super) values: BTreeSet<String>,
}

impl Target {
    /// Whether a key that it had not is one of the Secret that it became.
    pub(super) fn has_gained(&self, key: &str, keys: &[String]) -> bool {
        let has = |keys: &[String]| keys.iter().any(|own| own == key);
        !has(keys) && (self.values.contains(key) || has(&self.keys))
    }
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

    pub(super) fn get(&self, kind: &str, name: Option<&Value>) -> Option<&Target> {
        self.targets
            .get(&(kind.to_owned(), name?.as_str()?.to_owned()))
    }

    /// Rewrites every reference in an object.
    pub(super) fn follow(&self, object: &mut Value) -> Result<(), Error> {
        let title = object::title(object);
        match object::pod_spec_mut(object) {
            Some(pod) => self.pod(pod, &title)?,
            None => self.other(object),
        }
        Ok(())
    }

    fn pod(&self, pod: &mut Value, title: &str) -> Result<(), Error> {
        for volume in elements(pod, "volumes") {
            self.volume(volume, title)?;
        }
        for secret in elements(pod, "imagePullSecrets") {
            self.rename(secret, "name", "Secret");
        }
        for container in object::containers_mut(pod) {
            variables::follow(container, self, title)?;
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
        Ok(())
    }

    fn volume(&self, volume: &mut Value, title: &str) -> Result<(), Error> {
        self.check_items(volume, "secretName", title)?;
        self.replace(volume, ["configMap", "secret"], "name", "secretName", true);
        let Some(projected) = volume.get_mut("projected") else {
            return Ok(());
        };
        let mut sources = Vec::new();
        for source in elements(projected, "sources") {
            self.check_items(source, "name", title)?;
            let target = self.target(source, "name").map(|(target, _)| target);
            let listed = self.replace(source, ["configMap", "secret"], "name", "name", true);
            sources.push(projected::Source { target, listed });
        }
        projected::part(projected, &sources, title)
    }

    /// What a volume or a source of one refers to, and how.
    fn target<'a>(&self, holder: &'a Value, secret_key: &str) -> Option<(&Target, &'a Value)> {
        [
            ("configMap", "ConfigMap", "name"),
            ("secret", "Secret", secret_key),
        ]
        .into_iter()
        .find_map(|(field, kind, name)| {
            let reference = holder.get(field)?;
            Some((self.get(kind, reference.get(name))?, reference))
        })
    }

    /// Refuses a file that an object has only since it is sealed.
    fn check_items(&self, holder: &Value, secret_key: &str, title: &str) -> Result<(), Error> {
        let Some((target, reference)) = self.target(holder, secret_key) else {
            return Ok(());
        };
        let items = reference.get("items").and_then(Value::as_array);
        let keys = items.into_iter().flatten();
        let mut keys = keys.filter_map(|item| item.get("key")?.as_str());
        match keys.find(|key| target.has_gained(key, &target.keys)) {
            None => Ok(()),
            Some(key) => Err(Error::NoKey {
                object: title.to_owned(),
                key: key.to_owned(),
            }),
        }
    }

    /// Rewrites the reference that `holder` has under one of `fields` (a `ConfigMap`'s and a
    /// Secret's), whose names stand under `config_key` and `secret_key`. True where its files had to be
    /// listed.
    fn replace(
        &self,
        holder: &mut Value,
        fields: [&str; 2],
        config_key: &str,
        secret_key: &str,
        items: bool,
    ) -> bool {
        let [config, secret] = fields;
        let Some(map) = holder.as_object_mut() else {
            return false;
        };
        let mut listed = false;
        if let Some(reference) = map.get_mut(config)
            && let Some(target) = self.get("ConfigMap", reference.get(config_key))
        {
            if target.sealed {
                if let Some(Value::Object(mut reference)) = map.remove(config) {
                    reference.remove(config_key);
                    reference.insert(secret_key.to_owned(), target.name.clone().into());
                    if items {
                        listed = list_items(&mut reference, target);
                    }
                    map.insert(secret.to_owned(), reference.into());
                }
            } else {
                reference[config_key] = target.name.clone().into();
            }
            return listed;
        }
        if let Some(Value::Object(reference)) = map.get_mut(secret)
            && let Some(target) = self.get("Secret", reference.get(secret_key))
        {
            reference.insert(secret_key.to_owned(), target.name.clone().into());
            if items {
                listed = list_items(reference, target);
            }
        }
        listed
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

/// Lists the keys of a sealed object that are files, where nobody chose among them; true where it
/// did. An empty list chooses nothing.
fn list_items(reference: &mut Map<String, Value>, target: &Target) -> bool {
    let chosen = reference.get("items").and_then(Value::as_array);
    if !target.sealed || chosen.is_some_and(|items| !items.is_empty()) {
        return false;
    }
    let items: Vec<_> = target
        .keys
        .iter()
        .map(|key| json!({ "key": key, "path": key }))
        .collect();
    reference.insert("items".to_owned(), items.into());
    true
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
