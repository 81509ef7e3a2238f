//! What crates beside each other share: the few plain types that pass between the fleet, Git, Tutor
//! and clusters, so that none of them has to know another one.
//!
//! - names: an [`Address`], an [`Identity`], the [`PREFIX`] of labels;
//! - a fleet's files as a [`Snapshot`], and the [`Distribution`] and [`Lock`] that Tutor is installed from;
//! - what goes into Tutor and comes out: [`TutorInput`], [`TutorOutput`], [`Task`];
//! - small helpers that would else stand twice: [`digest`], [`near`], [`quantity`].
//!
//! It is a pure function of what it is given, and changes seldom: an edit here builds everything anew.

mod address;
pub mod digest;
mod distribution;
mod identity;
mod lock;
pub mod near;
pub mod quantity;
pub mod snapshot;
mod tutor;

/// The prefix of every label and annotation of ours, without the slash.
pub const PREFIX: &str = "grove-platform.org";

pub use address::Address;
pub use distribution::{Distribution, Requirement};
pub use identity::Identity;
pub use lock::{Lock, LockError, LockedPlugin, Wheel};
pub use quantity::Quantity;
pub use snapshot::{File, Snapshot};
pub use tutor::{Task, TutorInput, TutorOutput};
