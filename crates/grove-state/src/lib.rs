//! The state of OpenTofu and Terraform, taken apart and put together.
//!
//! - [`State`] reads and writes a state file of version 4; what it does not know it carries along.
//! - [`split()`] gives every object of a state to the stack that the [`Rules`] say, [`join()`] is its
//!   inverse, [`diff()`] compares two states by content.
//! - [`configuration`] gives each part the blocks of the old root that belong to it.
//!
//! Everything here is a function of its input: no files, no network, no clock, no chance.
//!
//! **Nothing is lost.** Each object of a state ends in exactly one part, byte for byte but for its
//! address; what no rule claims stops the split.

mod address;
pub mod configuration;
mod diff;
mod error;
mod join;
mod rules;
mod split;
mod state;

pub use address::{Address, Key, Module, ResourceAddress, Step};
pub use diff::{Difference, diff};
pub use error::{Error, Problem};
pub use join::join;
pub use rules::{LEGACY, Rules, STAYS};
pub use split::{Allow, Crossing, Moved, Part, PartRecord, Record, Split, split};
pub use state::{Instance, Mode, Resource, State};
