//! What each pass changed.

use std::{collections::BTreeSet, fmt};

use serde_json::Value;

use crate::{
    object::{Object, Objects},
    passes::Pass,
};

/// One difference that a pass made.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The pass's name.
    pub pass: &'static str,
    /// The object's kind.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// The changed value, as a JSON pointer; empty where the object came or went as a whole.
    pub pointer: String,
    /// What was there.
    pub before: Option<Value>,
    /// What is there now.
    pub after: Option<Value>,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match (&self.before, &self.after) {
            (None, _) => '+',
            (_, None) => '-',
            _ => '~',
        };
        write!(formatter, "{sign} {}/{}", self.kind, self.name)?;
        if self.pointer.is_empty() {
            return Ok(());
        }
        write!(formatter, " {}", self.pointer)?;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(formatter, ": {before} → {after}"),
            (Some(value), None) | (None, Some(value)) => write!(formatter, ": {value}"),
            (None, None) => Ok(()),
        }
    }
}

impl Pass {
    /// Whether `change` is one that this pass says it makes.
    pub fn declares(&self, change: &Change) -> bool {
        self.changes.iter().any(|declared| {
            let (kind, pointer) = declared.split_once(' ').unwrap_or((declared, ""));
            let below = |pattern: &str| {
                let mut steps = change.pointer.split('/');
                pattern
                    .split('/')
                    .all(|step| steps.next().is_some_and(|own| step == "*" || step == own))
            };
            (kind == "*" || kind == change.kind)
                && pointer.is_empty() == change.pointer.is_empty()
                && below(pointer)
        })
    }
}

/// Every difference between two states of an instance's objects.
pub(crate) fn changes(pass: &'static str, before: &Objects, after: &Objects) -> Vec<Change> {
    let ids: BTreeSet<_> = before.iter().chain(after.iter()).map(Object::id).collect();
    let mut changes = Vec::new();
    for id in ids {
        let find = |objects: &Objects| {
            objects
                .get(&id.group, &id.kind, &id.name)
                .map(|object| object.value().clone())
        };
        let empty = Change {
            pass,
            kind: id.kind.clone(),
            name: id.name.clone(),
            pointer: String::new(),
            before: None,
            after: None,
        };
        compare(&empty, find(before), find(after), &mut changes);
    }
    changes
}

/// Compares what stands at `place`.
fn compare(place: &Change, before: Option<Value>, after: Option<Value>, found: &mut Vec<Change>) {
    let step = |key: &str, before, after, found: &mut Vec<Change>| {
        let key = key.replace('~', "~0").replace('/', "~1");
        let pointer = format!("{}/{key}", place.pointer);
        compare(
            &Change {
                pointer,
                ..place.clone()
            },
            before,
            after,
            found,
        );
    };
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(mut before)), Some(Value::Object(mut after))) => {
            let keys: BTreeSet<String> = before.keys().chain(after.keys()).cloned().collect();
            for key in keys {
                step(&key, before.remove(&key), after.remove(&key), found);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) if before.len() == after.len() => {
            for (index, (before, after)) in before.into_iter().zip(after).enumerate() {
                step(&index.to_string(), Some(before), Some(after), found);
            }
        }
        (before, after) => found.push(Change {
            before,
            after,
            ..place.clone()
        }),
    }
}
