//! Git: objects through `gix`, the network through the `git` program.
//!
//! Fetch and push go through the program because it brings the user's ssh configuration, credential
//! helpers and hooks, which a library does not.

mod cache;
mod command;
mod create;
mod database;
mod mark;
mod objects;
mod remote;
mod report;

pub use command::Git;
pub use create::{create_remote, is_missing};
pub use objects::tree_id;
pub use remote::Remote;

pub(crate) use cache::{Cache, Pushed, Seen};
pub(crate) use database::{Database, ObjectStore};
pub(crate) use objects::reason;
