//! Infrastructure: stacks of OpenTofu or Terraform, each a root module with a state of its own.
//!
//! `all` knows the stacks of a fleet, `runner` works on one of them.

pub(crate) mod all;
pub mod apply;
pub mod bounds;
mod carry_out;
pub mod drift;
pub mod eject;
pub mod graph;
mod holder;
pub mod list;
pub mod output;
mod outputs;
pub mod plan;
pub mod renew;
pub mod run;
pub(crate) mod runner;
pub mod select;
pub mod standing;
pub(crate) mod tofu;
pub mod unlock;
mod unwritten;
pub(crate) mod work;
