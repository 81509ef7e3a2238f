//! Where a value comes from.

use grove_yaml::{LineIndex, Node, Value};
use serde::Serialize;

use super::{Layer, layers, merge};
use crate::{
    Address,
    documents::{Document, Documents},
    near::nearest,
};

/// A value of an instance, and every layer that had a say in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The instance.
    pub instance: Address,
    /// The path that was asked for.
    pub path: String,
    /// The value after merging; none where a layer took it away.
    pub value: Option<serde_json::Value>,
    /// The layers that say something of it, the weakest first: the last one that is not overridden
    /// gave the value.
    pub layers: Vec<LayerValue>,
}

/// What one layer says of a value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerValue {
    /// The layer, in words: `fleet defaults`, `group uni`, `instance`.
    pub layer: String,
    /// Where it says so.
    #[serde(flatten)]
    pub place: Place,
    /// What it says; `null` takes away.
    pub value: serde_json::Value,
    /// What became of it.
    pub effect: Effect,
}

/// A line of a file of the fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, from the fleet's root.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// What became of a layer's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It is the value, or its keys are part of it.
    Used,
    /// A later layer replaced it or took it away.
    Overridden,
    /// It took the value away.
    Removed,
}

/// Why there is nothing to explain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// The fleet has no such instance, or its file is empty.
    #[error("there is no instance `{address}`")]
    NoInstance {
        /// The address that was asked for.
        address: String,
        /// One that is like it.
        near: Option<String>,
    },
    /// No layer says anything at the path.
    #[error("no layer of `{address}` says anything about `{path}`")]
    NoValue {
        /// The instance.
        address: String,
        /// The path that was asked for.
        path: String,
        /// One that is like it.
        near: Option<String>,
    },
}

impl ExplainError {
    /// What may have been meant.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoInstance { near, .. } | Self::NoValue { near, .. } => {
                near.as_ref().map(|near| format!("there is `{near}`"))
            }
        }
    }
}

/// Explains the value at `path`, keys joined by dots; a key that holds dots stands in double
/// quotes: `domains."shop.uni.example".service`. An empty path means everything.
pub fn explain(
    documents: &Documents,
    address: &Address,
    path: &str,
) -> Result<Explanation, ExplainError> {
    let (Some(layers), Some(merged)) = (layers(documents, address), merge(documents, address))
    else {
        let known = documents
            .instances()
            .map(|(address, _)| address.to_string())
            .collect::<Vec<_>>();
        let address = address.to_string();
        return Err(ExplainError::NoInstance {
            near: nearest(&address, known.iter().map(String::as_str)).map(str::to_owned),
            address,
        });
    };
    let keys = split(path);
    let keys = keys.iter().map(String::as_str).collect::<Vec<_>>();

    let mut said = Vec::new();
    for layer in &layers {
        if keys.first().is_some_and(|key| !layer.carries(key)) {
            continue;
        }
        match say(layer, &keys) {
            Saying::Value(node, span) => {
                let value = node.to_json();
                let effect = match node.value {
                    Value::Null if !keys.is_empty() => Effect::Removed,
                    _ => Effect::Used,
                };
                // Only a map joins what stood before; anything else replaces it.
                if !matches!(node.value, Value::Map(_)) || !ends_in_map(&said) {
                    override_all(&mut said);
                }
                said.push(LayerValue {
                    layer: layer.origin.to_string(),
                    place: place(layer.document, span),
                    value,
                    effect,
                });
            }
            // Something above the path was replaced by what has no such key.
            Saying::Replaced(node, span) => {
                override_all(&mut said);
                said.push(LayerValue {
                    layer: layer.origin.to_string(),
                    place: place(layer.document, span),
                    value: node.to_json(),
                    effect: Effect::Removed,
                });
            }
            Saying::Nothing => {}
        }
    }
    if !said.iter().any(|value| value.effect == Effect::Used)
        && !said.iter().any(|value| value.effect == Effect::Overridden)
    {
        return Err(ExplainError::NoValue {
            address: address.to_string(),
            path: path.to_owned(),
            near: near_path(&merged, &keys),
        });
    }
    Ok(Explanation {
        instance: address.clone(),
        path: path.to_owned(),
        value: merged.at(&keys).map(super::Merged::to_json),
        layers: said,
    })
}

/// What a layer says at a path.
enum Saying<'a> {
    /// This value, and where.
    Value(&'a Node, grove_yaml::Span),
    /// Something above the path is no map here, which takes away all below it.
    Replaced(&'a Node, grove_yaml::Span),
    /// Nothing.
    Nothing,
}

fn say<'a>(layer: &Layer<'a>, keys: &[&str]) -> Saying<'a> {
    let mut node = layer.node;
    let mut span = node.span;
    if !matches!(node.value, Value::Map(_)) {
        return Saying::Nothing;
    }
    for key in keys {
        match node.value {
            Value::Map(_) => {}
            _ => return Saying::Replaced(node, span),
        }
        match node.entry(key) {
            Some(entry) => {
                node = &entry.value;
                span = entry.key_span;
            }
            None => return Saying::Nothing,
        }
    }
    Saying::Value(node, span)
}

fn ends_in_map(said: &[LayerValue]) -> bool {
    said.last()
        .is_some_and(|last| last.value.is_object() && last.effect == Effect::Used)
}

fn override_all(said: &mut [LayerValue]) {
    for value in said {
        value.effect = Effect::Overridden;
    }
}

fn place(document: &Document, span: grove_yaml::Span) -> Place {
    let text = std::str::from_utf8(&document.bytes).unwrap_or_default();
    let position = LineIndex::new(text).position(span.start);
    Place {
        file: document.real.clone(),
        line: position.line,
        column: position.column,
    }
}

/// The keys of a dotted path.
fn split(path: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut key = String::new();
    let mut quoted = false;
    for character in path.chars() {
        match character {
            '"' => quoted = !quoted,
            '.' if !quoted => keys.push(std::mem::take(&mut key)),
            character => key.push(character),
        }
    }
    if !key.is_empty() || !keys.is_empty() {
        keys.push(key);
    }
    keys
}

/// The path with its first unknown key replaced by one that is like it.
fn near_path(merged: &super::Merged<'_>, keys: &[&str]) -> Option<String> {
    let mut at = merged;
    for (index, key) in keys.iter().enumerate() {
        if let Some(below) = at.get(key) {
            at = below;
            continue;
        }
        let near = nearest(key, at.entries().map(|(name, _)| name))?;
        let path = keys
            .get(..index)?
            .iter()
            .copied()
            .chain([near])
            .chain(keys.get(index + 1..)?.iter().copied());
        return Some(path.collect::<Vec<_>>().join("."));
    }
    None
}
