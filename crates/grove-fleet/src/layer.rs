//! The layers of an instance and how they merge.
//!
//! Fleet defaults → ring → cluster → groups in their order → the instance itself. Maps merge by
//! key; scalars and lists replace; `null` removes.

mod explain;
mod merged;
#[cfg(test)]
mod tests;

pub use explain::{Effect, ExplainError, Explanation, LayerValue, Place, explain};
pub use merged::Merged;

use std::fmt;

use grove_yaml::{Node, Value};

use crate::{
    Address,
    documents::{Document, Documents},
    layout, shape,
};

/// Whose values a layer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// `defaults` of `grove.yaml`.
    Fleet,
    /// `defaults` of a ring.
    Ring(&'a str),
    /// `defaults` of the cluster.
    Cluster(&'a str),
    /// A group.
    Group(&'a str),
    /// The instance itself.
    Instance,
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fleet => formatter.write_str("fleet defaults"),
            Self::Ring(name) => write!(formatter, "ring {name}"),
            Self::Cluster(name) => write!(formatter, "cluster {name}"),
            Self::Group(name) => write!(formatter, "group {name}"),
            Self::Instance => formatter.write_str("instance"),
        }
    }
}

/// One layer of one instance.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// Whose values it holds.
    pub origin: Origin<'a>,
    /// The file in which it stands.
    pub document: &'a Document,
    /// The map of its values.
    pub node: &'a Node,
}

impl Layer<'_> {
    /// Whether a key of this layer's map flows on to the instance.
    fn carries(&self, key: &str) -> bool {
        match self.origin {
            Origin::Instance => true,
            Origin::Ring(_) => key != "ring" && shape::is_layered(key),
            _ => shape::is_layered(key),
        }
    }
}

/// The layers of an instance, the weakest first; none where its file is missing or empty.
///
/// Rings, groups and clusters that are not there give no layer.
pub fn layers<'a>(documents: &'a Documents, address: &Address) -> Option<Vec<Layer<'a>>> {
    let document = documents.get(&layout::instance(address))?;
    let instance = document.root.as_ref()?;
    let mut layers = Vec::new();

    let fleet = documents.get(layout::FLEET);
    let fleet_root = fleet.and_then(|fleet| fleet.root.as_ref());
    if let (Some(document), Some(node)) = (fleet, fleet_root.and_then(|root| root.get("defaults")))
    {
        layers.push(Layer {
            origin: Origin::Fleet,
            document,
            node,
        });
    }
    if let Some(document) = documents.get(&layout::cluster(&address.cluster))
        && let Some(node) = document.root.as_ref().and_then(|root| root.get("defaults"))
        && let layout::Kind::Cluster(name) = &document.kind
    {
        layers.push(Layer {
            origin: Origin::Cluster(name),
            document,
            node,
        });
    }
    for name in groups(instance) {
        if let Some(document) = documents.get(&layout::group(name))
            && let Some(node) = document.root.as_ref()
        {
            layers.push(Layer {
                origin: Origin::Group(name),
                document,
                node,
            });
        }
    }
    layers.push(Layer {
        origin: Origin::Instance,
        document,
        node: instance,
    });

    // Which ring's values come in is itself said by the layers.
    if let (Some(document), Some(root)) = (fleet, fleet_root)
        && let Some(ring) = ring(&layers)
        && let Some((name, node)) = rings(root).find(|(name, _)| *name == ring)
        && let Some(node) = node
    {
        let at = usize::from(
            layers
                .first()
                .is_some_and(|layer| layer.origin == Origin::Fleet),
        );
        layers.insert(
            at,
            Layer {
                origin: Origin::Ring(name),
                document,
                node,
            },
        );
    }
    Some(layers)
}

/// The instance with its layers merged; none where its file is missing or empty.
pub fn merge<'a>(documents: &'a Documents, address: &Address) -> Option<Merged<'a>> {
    let layers = layers(documents, address)?;
    let last = layers.last()?;
    let mut merged = Merged::new(last.document, last.node);
    for layer in &layers {
        merged.add(layer.document, layer.node, &|key| layer.carries(key));
    }
    Some(merged)
}

/// The groups that an instance's file names, in their order.
pub(crate) fn groups(instance: &Node) -> impl Iterator<Item = &str> {
    let nodes: &[Node] = match instance.get("groups").map(|node| &node.value) {
        Some(Value::List(nodes)) => nodes,
        _ => &[],
    };
    nodes.iter().filter_map(Node::as_str)
}

/// The rings of `grove.yaml` and their defaults, in their order.
pub(crate) fn rings(fleet: &Node) -> impl Iterator<Item = (&str, Option<&Node>)> {
    let nodes: &[Node] = match fleet.get("rings").map(|node| &node.value) {
        Some(Value::List(nodes)) => nodes,
        _ => &[],
    };
    nodes
        .iter()
        .filter_map(|ring| Some((ring.get("name")?.as_str()?, ring.get("defaults"))))
}

/// The ring that the layers choose.
fn ring<'a>(layers: &[Layer<'a>]) -> Option<&'a str> {
    layers
        .iter()
        .filter_map(|layer| layer.node.get("ring"))
        .next_back()
        .and_then(Node::as_str)
}
