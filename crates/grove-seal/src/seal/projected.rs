//! Volumes of several sources: the files of a later one win.
//!
//! Kubernetes refuses two sources that both list a file, and takes that of the later one where one of
//! them brings all that it has. A sealed source must list its files, so the earlier ones give way here.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Error, references::Target};

/// A source of a volume.
pub(super) struct Source<'a> {
    /// What it refers to; none where the tree has no such object.
    pub(super) target: Option<&'a Target>,
    /// Whether its files had to be listed.
    pub(super) listed: bool,
}

/// Takes the files out of each source that a later one brings too, where one of the two had to be
/// listed; a source that has nothing left goes.
pub(super) fn part(projected: &mut Value, known: &[Source<'_>], title: &str) -> Result<(), Error> {
    let sources = projected.get_mut("sources").and_then(Value::as_array_mut);
    let Some(sources) = sources.filter(|_| known.iter().any(|source| source.listed)) else {
        return Ok(());
    };
    // The files of later sources, and of those that had to be listed.
    let mut all = BTreeSet::new();
    let mut ours = BTreeSet::new();
    // Those of later sources that may not be there.
    let mut perhaps = BTreeSet::new();
    let mut empty = Vec::new();
    for (index, (source, known)) in sources.iter_mut().zip(known).enumerate().rev() {
        let had = !paths(source).is_empty();
        if let Some(target) = known.target {
            // What need not be there and is not would still be refused beside another's file.
            retain_keys(source, &target.keys);
        }
        let hidden = if known.listed { &all } else { &ours };
        let before = paths(source);
        remove(source, hidden);
        if had && paths(source).is_empty() {
            empty.push(index);
        }
        if known.listed {
            if let Some(path) = before.iter().find(|path| perhaps.contains(*path)) {
                return Err(Error::Projected {
                    object: title.to_owned(),
                    path: path.clone(),
                });
            }
            ours.extend(before.iter().cloned());
        }
        if known.target.is_none() && is_optional(source) {
            perhaps.extend(before.iter().cloned());
        }
        all.extend(before);
    }
    for index in empty {
        sources.remove(index);
    }
    Ok(())
}

fn is_optional(source: &Value) -> bool {
    let kinds = source.as_object().into_iter().flatten();
    kinds
        .into_iter()
        .any(|(_, fields)| fields.get("optional").and_then(Value::as_bool) == Some(true))
}

/// Leaves out the files of keys that an object need not have, and has not.
fn retain_keys(source: &mut Value, keys: &[String]) {
    if !is_optional(source) {
        return;
    }
    for fields in source
        .as_object_mut()
        .into_iter()
        .flatten()
        .map(|(_, fields)| fields)
    {
        if let Some(items) = fields.get_mut("items").and_then(Value::as_array_mut) {
            items.retain(|item| {
                let key = item.get("key").and_then(Value::as_str).unwrap_or_default();
                keys.iter().any(|own| own == key)
            });
        }
    }
}

/// The files that a source lists.
fn paths(source: &Value) -> Vec<String> {
    let kinds = source.as_object().into_iter().flatten();
    kinds
        .flat_map(|(_, fields)| {
            let items = fields.get("items").and_then(Value::as_array);
            let items = items.into_iter().flatten().chain([fields]);
            items.filter_map(|item| Some(item.get("path")?.as_str()?.to_owned()))
        })
        .collect()
}

/// Takes these files out of a source.
fn remove(source: &mut Value, hidden: &BTreeSet<String>) {
    let is_hidden = |item: &Value| {
        let path = item.get("path").and_then(Value::as_str);
        path.is_some_and(|path| hidden.contains(path))
    };
    let Some(kinds) = source.as_object_mut() else {
        return;
    };
    for fields in kinds.values_mut() {
        if is_hidden(fields)
            && let Some(fields) = fields.as_object_mut()
        {
            fields.remove("path");
        }
        if let Some(items) = fields.get_mut("items").and_then(Value::as_array_mut) {
            items.retain(|item| !is_hidden(item));
        }
    }
}
