//! Running external programs: the only crate that starts processes.
//!
//! An [`Invocation`] says everything about a run: program, arguments, directory, which variables
//! of the caller's environment pass (none does unless it is named), input, limits, and whether the
//! program is confined by a [`Sandbox`]. It ends in an [`Outcome`], or in a [`Running`] program
//! that is ended when it is dropped.

pub mod sandbox;

mod collect;
mod error;
mod find;
mod invocation;
mod lock;
mod outcome;
mod processes;
mod running;
mod token;
mod variables;
mod version;

pub use error::ExecError;
pub use find::find;
pub use invocation::Invocation;
pub use lock::{lock, wait};
pub use outcome::Outcome;
pub use processes::end_all;
pub use running::{Ender, Running};
pub use sandbox::Sandbox;
pub use token::{Entered, Token};
pub use variables::Variables;
pub use version::{Version, probe};
