//! What a deploy would take away.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ByName, ObjectName};
use crate::object::is_job;

/// What a deploy would take away from an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deletions {
    /// Volumes that go (`PersistentVolumeClaim`s, and `StatefulSet`s that claim some).
    pub volumes: Vec<String>,
    /// Host names that no Ingress serves any more.
    pub hosts: Vec<String>,
    /// How many objects go, volumes among them. Jobs do not count: they come and go with releases.
    pub objects: usize,
    /// How many objects there were, counted likewise.
    pub of: usize,
}

impl Deletions {
    /// Whether this is to be confirmed: a volume, a host, or more than a tenth of the objects.
    pub fn need_confirmation(&self) -> bool {
        !self.volumes.is_empty() || !self.hosts.is_empty() || self.objects * 10 > self.of
    }

    /// The number that confirms it: objects that go, and hosts that are served no more.
    pub fn count(&self) -> usize {
        self.objects + self.hosts.len()
    }

    pub(super) fn between(old: &ByName<'_>, new: &ByName<'_>) -> Self {
        let counted = || old.iter().filter(|(_, object)| !is_job(object));
        let gone: Vec<(&ObjectName, &Value)> = counted()
            .filter(|(key, _)| !new.contains_key(*key))
            .map(|(key, object)| (&key.name, *object))
            .collect();
        let volumes = gone
            .iter()
            .filter(|(name, object)| {
                name.kind == "PersistentVolumeClaim"
                    || object.pointer("/spec/volumeClaimTemplates").is_some()
            })
            .map(|(name, _)| name.name.clone())
            .collect();
        let (before, after) = (hosts(old), hosts(new));
        Self {
            volumes,
            hosts: before.difference(&after).cloned().collect(),
            objects: gone.len(),
            of: counted().count(),
        }
    }
}

/// Every host that an Ingress serves.
fn hosts(objects: &ByName<'_>) -> BTreeSet<String> {
    objects
        .iter()
        .filter(|(key, _)| key.name.kind == "Ingress")
        .filter_map(|(_, object)| object.pointer("/spec/rules")?.as_array())
        .flatten()
        .filter_map(|rule| rule.get("host")?.as_str())
        .map(str::to_owned)
        .collect()
}
