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
mod table;
#[cfg(test)]
mod tests;
mod workload;

pub use instance::REQUIRED as REQUIRED_OF_INSTANCE;
pub use misfit::{Misfit, MisfitKind, misfits};
pub use table::{Key, Keys, Shape, Type};

pub use crate::words::{Choice, Support};

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

/// Whether a key of the top of a layer is one that flows on to instances.
pub(crate) fn is_layered(key: &str) -> bool {
    [layered::RING, layered::KEYS]
        .iter()
        .any(|keys| keys.iter().any(|known| known.name == key))
}
