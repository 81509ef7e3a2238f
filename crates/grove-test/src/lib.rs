//! A hermetic world for tests of the command line.
//!
//! ```no_run
//! # let program = "";
//! // In a test: let program = env!("CARGO_BIN_EXE_grove");
//! let world = grove_test::World::new(program);
//! world.write("fleet/grove.yaml", "version: 1\nname: acme\n");
//! println!("{}", world.grove(["check"]));
//! ```
//!
//! What such a test sees does not depend on who runs it or where: [`World`] gives each command its
//! own home, clock, locale and Git configuration, and [`Output`] prints the same text on each run.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test whose world cannot be made must fail, and say why"
)]

mod filters;
mod git;
mod lesser;
mod output;
mod world;

#[cfg(test)]
mod tests;

/// A prepared program, as [`World::program`] gives it.
pub use assert_cmd::Command;
pub use filters::Filters;
pub use git::Repository;
pub use lesser::Lesser;
pub use output::Output;
pub use world::{Grove, World};
