//! What a table is made of: keys, and what each may hold.

use crate::words::{Choice, Support};

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

impl Key {
    /// A key that may be left out.
    pub(super) const fn new(name: &'static str, holds: Type, doc: &'static str) -> Self {
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
    pub(super) const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    /// The same key, which layers give.
    pub(super) const fn layered(self) -> Self {
        Self {
            layered: true,
            ..self
        }
    }

    /// A key that a later version will know; its value is not looked at.
    pub(super) const fn later(name: &'static str, doc: &'static str) -> Self {
        Self {
            support: Support::NotYet,
            ..Self::new(name, Type::Any, doc)
        }
    }
}

/// The key of an object's table.
pub(crate) fn find(keys: Keys, name: &str) -> Option<&'static Key> {
    keys.iter()
        .flat_map(|group| group.iter())
        .find(|key| key.name == name)
}
