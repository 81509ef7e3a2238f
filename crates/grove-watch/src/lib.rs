//! One status model: what should run, as Git says, and what runs, as the clusters say.
//!
//! - [`observe`] asks one cluster once, [`watch`] goes on; both read and never write.
//! - [`fold`] is pure: the two sides become a [`Status`], whose JSON is a published format.
//!
//! **A cluster that does not answer is unknown, never empty**, and costs its own rows only.

mod facts;
mod live;
mod model;
mod observe;
mod unready;
mod workflow;

pub use live::watch;
pub use model::{
    ClusterRow, Freeze, InstanceRow, Operation, Released, SharedRow, StackRow, State, Status,
    VERSION, Wanted, WorkflowsRow, fold, schema,
};
pub use observe::{Observation, observe};
pub use workflow::Workflow;
