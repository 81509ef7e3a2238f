//! Kubernetes objects: what every pass may rely on, and the few places that passes look at.

use std::{collections::BTreeMap, fmt};

use grove_fleet::PREFIX;
use serde_json::{Map, Value};

use crate::{Error, names};

/// The hint where Kubernetes would not take what came out.
const USUAL_CAUSE: &str = "a plugin's Kubernetes patch is the usual cause";

/// What an object is known by. Two objects of one kind and name differ in their API group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) group: String,
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind, self.name)
    }
}

/// An object with a kind, an API version, a valid name, and labels and annotations that are text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    value: Value,
}

impl Object {
    /// Takes what Kustomize printed; `index` is its place in the list, for messages.
    pub(crate) fn parse(index: usize, value: Value) -> Result<Self, Error> {
        let refuse = |reason: &str| {
            Error::new(
                format!("object {index} of the environment is not a Kubernetes object: {reason}"),
                USUAL_CAUSE,
            )
        };
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let (Some(kind), Some(api)) = (text("/kind"), text("/apiVersion")) else {
            return Err(refuse("it has no kind or no apiVersion"));
        };
        if kind.is_empty() || kind.len() > 63 || !kind.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(refuse("its kind is not a word"));
        }
        if api.is_empty() || !api.split('/').all(names::is_subdomain) {
            return Err(refuse("its apiVersion is not a group and a version"));
        }
        let Some(name) = text("/metadata/name") else {
            return Err(refuse("it has no name"));
        };
        if !names::is_subdomain(name) {
            return Err(bad_name(kind, name));
        }
        let object = format!("{kind}/{name}");
        for pointer in ["/metadata/labels", "/metadata/annotations"] {
            match value.pointer(pointer) {
                None | Some(Value::Null) => {}
                Some(Value::Object(map)) => {
                    for (key, value) in map {
                        if !value.is_string() {
                            return Err(refuse("a label or annotation is not text"));
                        }
                        if key.starts_with(PREFIX) {
                            return Err(Error::new(
                                format!("{object} carries {key}, which only Grove may set"),
                                "remove it from the plugin that adds it",
                            ));
                        }
                    }
                }
                Some(_) => return Err(refuse("its labels or annotations are not a map")),
            }
        }
        if !matches!(
            value.pointer("/metadata/namespace"),
            None | Some(Value::String(_))
        ) {
            return Err(refuse("its namespace is not text"));
        }
        Ok(Self { value })
    }

    /// An object of ours: `value` with its kind, API version and name, which are valid.
    pub(crate) fn new(api: &str, kind: &str, name: &str, mut value: Map<String, Value>) -> Self {
        value.insert("apiVersion".to_owned(), api.into());
        value.insert("kind".to_owned(), kind.into());
        value.insert("metadata".to_owned(), serde_json::json!({"name": name}));
        Self {
            value: Value::Object(value),
        }
    }

    /// The whole object.
    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// The whole object; its kind, API version and metadata stay what they are.
    pub(crate) fn value_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    /// The whole object.
    pub(crate) fn into_value(self) -> Value {
        self.value
    }

    fn text(&self, pointer: &str) -> &str {
        self.value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub(crate) fn kind(&self) -> &str {
        self.text("/kind")
    }

    pub(crate) fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    pub(crate) fn namespace(&self) -> Option<&str> {
        self.value
            .pointer("/metadata/namespace")
            .and_then(Value::as_str)
    }

    pub(crate) fn api(&self) -> &str {
        self.text("/apiVersion")
    }

    /// The API group; empty for the core.
    pub(crate) fn group(&self) -> &str {
        self.api().split_once('/').map_or("", |(group, _)| group)
    }

    pub(crate) fn id(&self) -> Id {
        Id {
            kind: self.kind().to_owned(),
            name: self.name().to_owned(),
            group: self.group().to_owned(),
        }
    }

    /// Sets a field of `metadata`.
    pub(crate) fn set_metadata(&mut self, key: &str, value: Value) {
        if let Some(Value::Object(metadata)) = self.value.get_mut("metadata") {
            metadata.insert(key.to_owned(), value);
        }
    }

    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        self.value
            .get("metadata")?
            .get("labels")?
            .get(key)?
            .as_str()
    }

    pub(crate) fn set_label(&mut self, key: &str, value: &str) {
        self.set_in("labels", key, value);
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.value
            .get("metadata")?
            .get("annotations")?
            .get(key)?
            .as_str()
    }

    pub(crate) fn set_annotation(&mut self, key: &str, value: &str) {
        self.set_in("annotations", key, value);
    }

    /// Removes an annotation, and the annotations where they are then empty.
    pub(crate) fn remove_annotation(&mut self, key: &str) {
        let Some(Value::Object(metadata)) = self.value.get_mut("metadata") else {
            return;
        };
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.remove(key);
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }

    fn set_in(&mut self, section: &str, key: &str, value: &str) {
        let Some(Value::Object(metadata)) = self.value.get_mut("metadata") else {
            return;
        };
        let section = metadata.entry(section).or_insert(Value::Null);
        if section.is_null() {
            *section = Value::Object(Map::new());
        }
        if let Value::Object(section) = section {
            section.insert(key.to_owned(), value.into());
        }
    }

    /// Adds options to `argocd.argoproj.io/sync-options`, beside those that are there.
    pub(crate) fn add_sync_options(&mut self, options: &[&str]) {
        const KEY: &str = "argocd.argoproj.io/sync-options";
        let mut all: Vec<&str> = self
            .annotation(KEY)
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|option| !option.is_empty())
            .collect();
        for option in options {
            // An option of ours replaces another value of the same option.
            let name = option.split('=').next().unwrap_or_default();
            all.retain(|other| other.split('=').next() != Some(name));
            all.push(option);
        }
        let all = all.join(",");
        self.set_annotation(KEY, &all);
    }

    /// Where the pod template stands, for kinds that have one.
    fn pod_template_pointer(&self) -> Option<&'static str> {
        match (self.group(), self.kind()) {
            ("apps", "Deployment" | "StatefulSet" | "DaemonSet") | ("batch", "Job") => {
                Some("/spec/template")
            }
            ("batch", "CronJob") => Some("/spec/jobTemplate/spec/template"),
            _ => None,
        }
    }

    pub(crate) fn pod_template(&self) -> Option<&Value> {
        self.value.pointer(self.pod_template_pointer()?)
    }

    pub(crate) fn pod_template_mut(&mut self) -> Option<&mut Value> {
        let pointer = self.pod_template_pointer()?;
        self.value.pointer_mut(pointer)
    }
}

/// An instance's objects, in an order that depends on nothing but themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects {
    by_id: BTreeMap<Id, Object>,
}

impl Objects {
    /// Takes what Kustomize printed, in any order.
    pub(crate) fn parse(values: Vec<Value>) -> Result<Self, Error> {
        let mut objects = Self::default();
        for (index, value) in values.into_iter().enumerate() {
            objects.add(Object::parse(index, value)?)?;
        }
        Ok(objects)
    }

    /// Adds an object; there must be none of its kind and name.
    pub(crate) fn add(&mut self, object: Object) -> Result<(), Error> {
        let id = object.id();
        if self.by_id.contains_key(&id) {
            return Err(duplicate(&id));
        }
        self.by_id.insert(id, object);
        Ok(())
    }

    pub(crate) fn get(&self, group: &str, kind: &str, name: &str) -> Option<&Object> {
        self.by_id.get(&Id {
            kind: kind.to_owned(),
            name: name.to_owned(),
            group: group.to_owned(),
        })
    }

    pub(crate) fn get_mut(&mut self, group: &str, kind: &str, name: &str) -> Option<&mut Object> {
        self.by_id.get_mut(&Id {
            kind: kind.to_owned(),
            name: name.to_owned(),
            group: group.to_owned(),
        })
    }

    /// Takes out every object that `chosen` picks, in order.
    pub(crate) fn take(&mut self, chosen: impl Fn(&Object) -> bool) -> Vec<Object> {
        self.by_id
            .extract_if(.., |_, object| chosen(object))
            .map(|(_, object)| object)
            .collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Object> {
        self.by_id.values()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Object> {
        self.by_id.values_mut()
    }

    pub(crate) fn into_values(self) -> impl Iterator<Item = Object> {
        self.by_id.into_values()
    }
}

/// Calls `see` with every text in `value`, keys included.
pub(crate) fn each_text<'a>(value: &'a Value, see: &mut impl FnMut(&'a str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, see)),
        Value::Object(map) => {
            for (key, value) in map {
                see(key);
                each_text(value, see);
            }
        }
        _ => {}
    }
}

/// The error for a name that Kubernetes would not take, or that is unfit for a file name.
pub(crate) fn bad_name(kind: &str, name: &str) -> Error {
    Error::new(
        format!("{kind} has the name {name:?}, which is not a valid Kubernetes name"),
        USUAL_CAUSE,
    )
}

/// The error for two objects of one kind and name.
pub(crate) fn duplicate(id: &Id) -> Error {
    Error::new(format!("{id} is there twice"), USUAL_CAUSE)
}

/// The error for an object, `Kind/name`, with a field that reaches beyond the instance.
pub(crate) fn refused_field(object: &str, field: &str) -> Error {
    Error::new(
        format!("{object} sets {field}, which reaches beyond the instance"),
        "remove the field from the plugin that adds it",
    )
}
