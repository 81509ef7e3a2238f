//! Values of a merged tree, as those who read it need them; none where the tree has another type.

use std::collections::BTreeMap;

use grove_yaml::Value;

use crate::layer::Merged;

/// A text.
pub(super) fn text(merged: &Merged<'_>, key: &str) -> Option<String> {
    merged.get(key).and_then(Merged::as_str).map(str::to_owned)
}

/// A whole number.
pub(super) fn number(merged: &Merged<'_>, key: &str) -> Option<u64> {
    match &merged.get(key)?.node.value {
        Value::Number(number) => number.as_u64(),
        _ => None,
    }
}

/// A list of texts.
pub(super) fn list(merged: &Merged<'_>, key: &str) -> Vec<String> {
    let list = merged.get(key).map(Merged::to_json);
    let items = list.as_ref().and_then(serde_json::Value::as_array);
    let texts = items
        .into_iter()
        .flatten()
        .filter_map(serde_json::Value::as_str);
    texts.map(str::to_owned).collect()
}

/// Whether a key is `true`.
pub(super) fn flag(merged: &Merged<'_>, key: &str) -> bool {
    merged
        .get(key)
        .is_some_and(|value| value.node.value == Value::Bool(true))
}

/// The entries of a map below a key.
pub(super) fn below<'a, 'm>(
    merged: &'m Merged<'a>,
    key: &str,
) -> impl Iterator<Item = (&'a str, &'m Merged<'a>)> {
    merged.get(key).into_iter().flat_map(Merged::entries)
}

/// The texts of a map below a key, by name.
pub(super) fn texts(merged: &Merged<'_>, key: &str) -> BTreeMap<String, String> {
    below(merged, key)
        .filter_map(|(name, value)| Some((name.to_owned(), value.as_str()?.to_owned())))
        .collect()
}

/// The entries of a map, plain.
pub(super) fn values(merged: Option<&Merged<'_>>) -> serde_json::Map<String, serde_json::Value> {
    merged
        .into_iter()
        .flat_map(Merged::entries)
        .map(|(name, value)| (name.to_owned(), value.to_json()))
        .collect()
}
