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
pub mod network;
mod python;
pub mod reference;
pub mod rotation;
pub mod scaffold;
pub mod schedule;
pub mod schema;
pub mod selector;
pub mod shape;
mod words;


pub use documents::{Document, Documents};
pub use finding::{Finding, Location, Severity};
pub use grove_core::{Address, File, PREFIX, Quantity, Snapshot, near, quantity, snapshot};
pub use model::Fleet;
