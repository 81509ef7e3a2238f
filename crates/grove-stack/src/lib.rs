//! Infrastructure: what a stack is, what it is given and what it gives.
//!
//! - [`stack`] names a stack, [`module`] reads what its files declare, [`catalog`] carries the stacks
//!   that Grove brings, [`graph`](Graph) says who reads whom.
//! - [`root`] makes the files that OpenTofu runs, with the back end that [`backend`] names.
//! - [`outputs`] is the file of what a stack gave; [`plan`] and [`lock`] read what the program prints.
//!
//! Everything here is a function of its input: no files, no network, no clock, no chance.

pub mod backend;
pub mod catalog;
mod graph;
mod hcl;
pub mod lock;
pub mod module;
pub mod outputs;
pub mod plan;
pub mod root;
pub mod stack;

pub use graph::{Cycle, Graph};
