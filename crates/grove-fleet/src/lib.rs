//! A fleet repository: load, layer, check.
//!
//! Everything here is a pure function of a [`Snapshot`] of the repository's files: no file system,
//! Git, network, clock or terminal.

pub mod addons;
pub mod check;
pub mod documents;
pub mod finding;
pub mod layer;
pub mod layout;
pub mod links;
pub mod load;
pub mod model;
pub mod near;
pub mod network;
mod python;
pub mod quantity;
pub mod reference;
pub mod rotation;
pub mod scaffold;
pub mod schedule;
pub mod schema;
pub mod selector;
pub mod shape;
pub mod snapshot;
mod words;

/// The prefix of every label and annotation of ours, without the slash.
pub const PREFIX: &str = "grove-platform.org";

pub use documents::{Document, Documents};
pub use finding::{Finding, Location, Severity};
pub use model::{Address, Fleet};
pub use quantity::Quantity;
pub use snapshot::{File, Snapshot};
