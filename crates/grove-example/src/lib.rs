//! A fleet and its deploy branches in memory, for examples and tests of operations.
//!
//! ```
//! use grove_operations::release::history;
//!
//! let world = grove_example::World::deployed();
//! let history = history::read(&world.around(), &history::Request::default())?;
//! assert_eq!(history.instances.len(), 3);
//! # Ok::<(), grove_operations::Error>(())
//! ```
#![expect(
    clippy::expect_used,
    reason = "an example whose world cannot be made must fail, and say why"
)]

mod fleet;
mod world;

pub use fleet::{CLUSTERS, Plain, SETTINGS, Site, files};
pub use world::{World, id, request};
