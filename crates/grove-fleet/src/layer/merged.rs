//! The merged tree, every part of which knows the file that said it.

use std::collections::BTreeMap;

use grove_yaml::{Node, Span, Value};

use crate::documents::Document;

/// A value after merging, and the place of the last layer that said something of it.
#[derive(Clone, Debug)]
pub struct Merged<'a> {
    /// The file of the last layer that said something of it.
    pub document: &'a Document,
    /// That layer's value: for a map, only what that layer says.
    pub node: &'a Node,
    /// That layer's key; none at the top.
    pub key_span: Option<Span>,
    /// What a map holds after merging; none for anything else.
    map: Option<BTreeMap<&'a str, Merged<'a>>>,
}

impl<'a> Merged<'a> {
    /// An empty map at the top of an instance's file.
    pub(super) fn new(document: &'a Document, node: &'a Node) -> Self {
        Self {
            document,
            node,
            key_span: None,
            map: Some(BTreeMap::new()),
        }
    }

    /// Lays a map of a later layer over this one, but for keys that the layer does not carry.
    pub(super) fn add(
        &mut self,
        document: &'a Document,
        node: &'a Node,
        carries: &dyn Fn(&str) -> bool,
    ) {
        let map = self.map.get_or_insert_default();
        for entry in node.entries() {
            if !carries(&entry.key) {
                continue;
            }
            if entry.value.value == Value::Null {
                map.remove(entry.key.as_str());
                continue;
            }
            let is_map = matches!(entry.value.value, Value::Map(_));
            let below = match map.remove(entry.key.as_str()) {
                Some(earlier) if is_map => earlier.map,
                _ => None,
            };
            let mut merged = Merged {
                document,
                node: &entry.value,
                key_span: Some(entry.key_span),
                map: below,
            };
            if is_map {
                merged.add(document, &entry.value, &|_| true);
            }
            map.insert(&entry.key, merged);
        }
    }

    /// The value of a key of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.map.as_ref()?.get(key)
    }

    /// The value below this one at `path`, one key a step.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |merged, key| merged.get(key))
    }

    /// The entries of a map, sorted by key; none for anything else.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, &Self)> {
        self.map
            .iter()
            .flatten()
            .map(|(key, merged)| (*key, merged))
    }

    /// Whether this is a map.
    pub fn is_map(&self) -> bool {
        self.map.is_some()
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&'a str> {
        if self.map.is_some() {
            return None;
        }
        self.node.as_str()
    }

    /// The span to point at: the key where there is one, else the value.
    pub fn span(&self) -> Span {
        self.key_span.unwrap_or(self.node.span)
    }

    /// The plain value.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.map {
            Some(map) => map
                .iter()
                .map(|(key, merged)| ((*key).to_owned(), merged.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            None => self.node.to_json(),
        }
    }
}
