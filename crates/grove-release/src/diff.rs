//! What a deploy changes, object by object.
//!
//! Names that carry a hash of their content are compared without it, so that a changed configuration
//! is one change and not an object that came, one that went and a line in every Deployment that reads
//! it. Encrypted values are never shown; a secret that changed is named.

mod deletions;
mod text;

pub use deletions::Deletions;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::object::{
    LEFT_RELEASE, Objects, RETAINED, is_jobs_copy, is_marked, kind, logical_name, name,
};

/// The difference between two states of one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diff {
    /// Objects that only the new state has.
    pub added: Vec<ObjectName>,
    /// Objects that only the old state has.
    pub removed: Vec<ObjectName>,
    /// Objects that both have and that differ.
    pub changed: Vec<Change>,
    /// What would be lost, for the question before it is.
    pub deletions: Deletions,
}

/// An object as people name it, without the hash in its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ObjectName {
    /// `Deployment`, `SealedSecret`, …
    pub kind: String,
    /// The name.
    pub name: String,
    /// Whether it is the copy of a configuration that only Jobs read.
    pub jobs_copy: bool,
}

/// An object that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Which.
    pub object: ObjectName,
    /// A unified diff of its YAML with three lines around each change, without file names. Empty where
    /// nothing but secrets or references changed.
    pub text: String,
    /// Names of the secrets whose encrypted value changed, came or went.
    pub secrets: BTreeSet<String>,
    /// Configuration that it names and that changed: its pods are replaced, or it runs again.
    pub because: BTreeSet<String>,
    /// For a Job: whether it has a new name, so that it runs again.
    pub runs_again: bool,
}

impl Diff {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let copy = if self.jobs_copy { " (for Jobs)" } else { "" };
        write!(formatter, "{} {}{copy}", self.kind, self.name)
    }
}

/// Compares two states of an instance. What either keeps of a release before it (retained
/// configuration, Jobs of a release that was left) is no difference.
pub fn diff(old: &Objects, new: &Objects) -> Diff {
    let (old, new) = (by_name(old), by_name(new));
    let renamed = Renamed::between(&old, &new);
    let mut diff = Diff {
        deletions: Deletions::between(&old, &new),
        ..Diff::default()
    };
    for (object, before) in &old {
        match new.get(object) {
            None => diff.removed.push(object.name()),
            Some(after) if before == after => {}
            Some(after) => diff
                .changed
                .push(renamed.change(object.name(), before, after)),
        }
    }
    let added = new.keys().filter(|object| !old.contains_key(object));
    diff.added.extend(added.map(Key::name));
    diff
}

/// What makes two objects of two states the same one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    name: ObjectName,
    /// Where two objects of one state have one kind and logical name: the real name.
    real: Option<String>,
}

impl Key {
    fn name(&self) -> ObjectName {
        self.name.clone()
    }
}

type ByName<'a> = BTreeMap<Key, &'a Value>;

fn by_name(objects: &Objects) -> ByName<'_> {
    let mut by_name = ByName::new();
    let own = objects
        .values()
        .filter(|object| !is_marked(object, RETAINED) && !is_marked(object, LEFT_RELEASE));
    for object in own {
        let object_name = ObjectName {
            kind: kind(object).to_owned(),
            name: logical_name(object).to_owned(),
            jobs_copy: is_jobs_copy(object),
        };
        let key = Key {
            name: object_name.clone(),
            real: None,
        };
        if by_name.contains_key(&key) {
            let key = Key {
                name: object_name,
                real: Some(name(object).to_owned()),
            };
            by_name.insert(key, object);
        } else {
            by_name.insert(key, object);
        }
    }
    by_name
}

/// Real names that differ between two states, each with the logical name that stands for it.
struct Renamed {
    old: BTreeMap<String, String>,
    new: BTreeMap<String, String>,
}

impl Renamed {
    fn between(old: &ByName<'_>, new: &ByName<'_>) -> Self {
        let mut renamed = Self {
            old: BTreeMap::new(),
            new: BTreeMap::new(),
        };
        for (object, before) in old {
            let Some(after) = new.get(object) else {
                continue;
            };
            if name(before) != name(after) {
                let logical = &object.name.name;
                renamed.old.insert(name(before).to_owned(), logical.clone());
                renamed.new.insert(name(after).to_owned(), logical.clone());
            }
        }
        renamed
    }

    fn change(&self, object: ObjectName, before: &Value, after: &Value) -> Change {
        let mut because = BTreeSet::new();
        let mut old = before.clone();
        let mut new = after.clone();
        let secrets = text::take_secrets(&mut old, &mut new);
        text::rename(&mut old, &self.old, &mut BTreeSet::new());
        text::rename(&mut new, &self.new, &mut because);
        // Its own name is no reason.
        if name(before) != name(after) {
            because.remove(name(&new));
        }
        Change {
            runs_again: object.kind == "Job" && name(before) != name(after),
            text: text::unified(&old, &new),
            object,
            secrets,
            because,
        }
    }
}

#[cfg(test)]
mod tests;
