//! Deploy trees in Git: releases, history, rollback.
//!
//! - [`Source`] reads a fleet from a Git revision without a checkout, [`worktree`] from a directory.
//! - [`DeployBranch`] is a cluster's branch of the deploy remote. All that Grove writes to Git goes
//!   through [`DeployBranch::commit`].
//! - [`memory`] is a deploy remote for tests and simulations.
//! - [`compose`], [`compose_rollback`], [`diff`] and [`forward_only`] are pure.

mod branch;
mod compose;
mod diff;
mod error;
mod freeze;
mod git;
mod id;
mod layout;
mod marks;
pub mod memory;
mod object;
mod record;
mod request;
mod source;

pub use branch::{
    Author, Changes, Conflict, DeployBranch, Draft, Gone, Landed, Message, Outcome, Release,
    SharedRelease, Turn, View, WayBack, refuse,
};
pub use compose::{compose, compose_rollback, compose_without_jobs, is_unchanged};
pub use diff::{Change, Deletions, Diff, ObjectName, diff};
pub use error::Error;
pub use freeze::{freeze, thaw};
pub use git::{Git, Remote, create_remote, is_missing, tree_id};
pub use id::{Id, NotAnId};
pub use layout::{FORMAT, branch_name};
pub use marks::{Crossed, forward_only};
pub use object::Objects;
pub use record::{
    DistributionRef, Freeze, Hold, InitTasks, Origin, RECORD_VERSION, Record, Run, Scan,
    SharedRecord,
};
pub use request::{NotARequestId, RequestId};
pub use source::{Ancestry, Order, Published, Revision, Source, worktree};
