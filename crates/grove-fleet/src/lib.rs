//! A fleet repository: load, layer, and what its files may say.
//!
//! Everything here is a pure function of a [`Snapshot`] of the repository's files: no file system,
//! Git, network, clock or terminal.

pub mod addons;
pub mod documents;
pub mod layer;
pub mod layout;
pub mod links;
pub mod load;
pub mod model;
pub mod network;
pub mod rotation;
pub mod scaffold;
pub mod schedule;
pub mod schema;
pub mod selector;
pub mod shape;
mod words;

pub use documents::{Document, Documents};
pub use grove_core::{Address, File, PREFIX, Quantity, Snapshot, near, quantity, snapshot};
pub use model::Fleet;
