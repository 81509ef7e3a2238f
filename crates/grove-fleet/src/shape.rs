//! What each file of a fleet may say: one table a file kind.
//!
//! From these tables come the problems that [`misfits`] finds, the JSON Schemas of
//! [`crate::schema`] and the reference pages.

mod build;
mod cluster;
mod data;
mod distribution;
mod domain;
mod flags;
mod fleet;
mod frontend;
mod group;
mod instance;
mod layered;
mod misfit;
mod stack;
#[cfg(test)]
mod tests;
mod workload;

pub use instance::REQUIRED as REQUIRED_OF_INSTANCE;
pub use misfit::{Misfit, MisfitKind, misfits};

use crate::layout::Kind;

/// A file kind that people write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// `grove.yaml`.
    Fleet,
    /// `distributions/<name>.yaml`.
    Distribution,
    /// `groups/<name>/group.yaml`.
    Group,
    /// `clusters/<name>/cluster.yaml`.
    Cluster,
    /// `instance.yaml`.
    Instance,
}

impl FileKind {
    /// Every kind, in the order in which a reader meets them.
    pub const ALL: [Self; 5] = [
        Self::Fleet,
        Self::Distribution,
        Self::Group,
        Self::Cluster,
        Self::Instance,
    ];

    /// The kind's name, which is also its schema's.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fleet => "fleet",
            Self::Distribution => "distribution",
            Self::Group => "group",
            Self::Cluster => "cluster",
            Self::Instance => "instance",
        }
    }

    /// The kind of a file of the layout that has a table.
    pub fn of(kind: &Kind) -> Option<Self> {
        match kind {
            Kind::Fleet => Some(Self::Fleet),
            Kind::Distribution(_) => Some(Self::Distribution),
            Kind::Group(_) => Some(Self::Group),
            Kind::Cluster(_) => Some(Self::Cluster),
            Kind::Instance(_) => Some(Self::Instance),
            _ => None,
        }
    }

    /// The table.
    pub fn shape(self) -> &'static Shape {
        match self {
            Self::Fleet => &fleet::SHAPE,
            Self::Distribution => &distribution::SHAPE,
            Self::Group => &group::SHAPE,
            Self::Cluster => &cluster::SHAPE,
            Self::Instance => &instance::SHAPE,
        }
    }
}

/// What one file kind may say.
#[derive(Debug)]
pub struct Shape {
    /// Where such files stand, as a pattern.
    pub path: &'static str,
    /// What such a file is for.
    pub doc: &'static str,
    /// Its keys, in groups.
    pub keys: Keys,
}

/// The keys of a map, in groups that several maps share.
pub type Keys = &'static [&'static [Key]];

/// One key of a map.
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What its value may be.
    pub holds: Type,
    /// Whether the map must have it.
    pub required: bool,
    /// Whether this version does something with it.
    pub support: Support,
    /// Whether layers give it, so that `null` may take it away again.
    pub layered: bool,
    /// What it means.
    pub doc: &'static str,
}

/// Whether this version does what a key or value asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It does.
    Now,
    /// A later version will; saying it is an error.
    NotYet,
    /// It does, for its own tests: no schema or help names it.
    Hidden,
}

/// What a value may be.
#[derive(Debug)]
pub enum Type {
    /// Text.
    Text,
    /// `true` or `false`.
    Bool,
    /// This whole number and no other.
    Exactly(u64),
    /// A whole number from the first to the second.
    Number(u64, u64),
    /// An amount as Kubernetes writes it, see [`crate::Quantity`].
    Quantity,
    /// One of these texts.
    OneOf(&'static [Choice]),
    /// A map with these keys and no others.
    Object(Keys),
    /// A map of names that the operator chooses.
    Map(&'static Type),
    /// A list.
    List(&'static Type),
    /// Either of two: the first is what most people write.
    Either(&'static Type, &'static Type),
    /// Anything; it is handed on as it is.
    Any,
}

/// One text that a value may be.
#[derive(Debug)]
pub struct Choice {
    /// The text.
    pub value: &'static str,
    /// Whether this version does it.
    pub support: Support,
    /// What it means.
    pub doc: &'static str,
}

impl Key {
    /// A key that may be left out.
    const fn new(name: &'static str, holds: Type, doc: &'static str) -> Self {
        Self {
            name,
            holds,
            required: false,
            support: Support::Now,
            layered: false,
            doc,
        }
    }

    /// The same key, which must be there.
    const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    /// The same key, which layers give.
    const fn layered(self) -> Self {
        Self {
            layered: true,
            ..self
        }
    }

    /// A key that a later version will know; its value is not looked at.
    const fn later(name: &'static str, doc: &'static str) -> Self {
        Self {
            support: Support::NotYet,
            ..Self::new(name, Type::Any, doc)
        }
    }
}

impl Choice {
    const fn now(value: &'static str, doc: &'static str) -> Self {
        Self {
            value,
            support: Support::Now,
            doc,
        }
    }

    const fn later(value: &'static str, doc: &'static str) -> Self {
        Self {
            value,
            support: Support::NotYet,
            doc,
        }
    }

    const fn hidden(value: &'static str, doc: &'static str) -> Self {
        Self {
            value,
            support: Support::Hidden,
            doc,
        }
    }
}

/// Whether a key of the top of a layer is one that flows on to instances.
pub(crate) fn is_layered(key: &str) -> bool {
    [layered::RING, layered::KEYS]
        .iter()
        .any(|keys| keys.iter().any(|known| known.name == key))
}

/// The key of an object's table.
pub(crate) fn find(keys: Keys, name: &str) -> Option<&'static Key> {
    keys.iter()
        .flat_map(|group| group.iter())
        .find(|key| key.name == name)
}
