//! One status model: what should run, as Git says, and what runs, as the clusters say.
//!
//! - [`observe`] asks one cluster; it reads and never writes.
//! - [`fold`] is pure: the two sides become a [`Status`], whose JSON is a published format.
//!
//! **A cluster that does not answer is unknown, never empty**, and costs its own rows only.

mod model;
mod observe;

pub use model::{
    ClusterRow, InstanceRow, Operation, Released, State, Status, VERSION, Wanted, fold, schema,
};
pub use observe::{Observation, observe};
