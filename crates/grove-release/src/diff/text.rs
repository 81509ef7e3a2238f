//! From two objects to lines that people read.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use similar::TextDiff;

/// Stands in the place of an encrypted value.
const SEALED: &str = "(sealed)";
/// Above so many lines, two texts are not compared line by line: the time grows with their product.
const LINES: usize = 20_000;

/// Puts [`SEALED`] in the place of every encrypted value; gives the names of those that differ.
pub(super) fn take_secrets(old: &mut Value, new: &mut Value) -> BTreeSet<String> {
    let (before, after) = (take(old), take(new));
    before
        .keys()
        .chain(after.keys())
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect()
}

/// The fields whose values are secret: of a `SealedSecret`, and of a plain `Secret`, which should not
/// be there at all.
fn take(object: &mut Value) -> BTreeMap<String, Value> {
    let fields: &[&str] = match object.get("kind").and_then(Value::as_str) {
        Some("SealedSecret") => &["/spec/encryptedData"],
        Some("Secret") => &["/data", "/stringData"],
        _ => &[],
    };
    let mut taken = BTreeMap::new();
    for field in fields {
        if let Some(Value::Object(values)) = object.pointer_mut(field) {
            for (name, value) in values {
                taken.insert(name.clone(), std::mem::replace(value, SEALED.into()));
            }
        }
    }
    taken
}

/// Puts the logical name in the place of every text that is just one of the real `names`; notes which.
pub(super) fn rename(
    value: &mut Value,
    names: &BTreeMap<String, String>,
    met: &mut BTreeSet<String>,
) {
    match value {
        Value::String(text) => {
            if let Some(logical) = names.get(text) {
                met.insert(logical.clone());
                text.clone_from(logical);
            }
        }
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| rename(value, names, met)),
        Value::Object(values) => values
            .values_mut()
            .for_each(|value| rename(value, names, met)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The unified diff of two objects' YAML.
pub(super) fn unified(old: &Value, new: &Value) -> String {
    if old == new {
        return String::new();
    }
    let (old, new) = (grove_yaml::emit(old), grove_yaml::emit(new));
    let (before, after) = (old.lines().count(), new.lines().count());
    if before + after > LINES {
        return format!("(too long to compare: {before} lines became {after})\n");
    }
    TextDiff::from_lines(&old, &new)
        .unified_diff()
        .context_radius(3)
        .to_string()
}
