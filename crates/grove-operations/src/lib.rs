//! Everything that Grove does, as functions of a request and of what is around it.

mod around;
pub mod check;
pub mod cluster;
pub mod consent;
pub mod deploy;
mod error;
mod event;
pub mod files;
pub mod fleet;
pub mod images;
pub mod jobs;
pub mod machine;
pub mod reach;
pub mod release;
pub mod render;
pub mod request;
pub mod secrets;
pub mod shared;
pub mod stacks;
pub mod state;
pub mod status;
pub mod text;
pub mod threads;

pub use around::{Around, Branches, Checker, Clock, Instead, Renderer};
pub use error::{Error, Kind, Result};
pub use event::{Doing, Event, Listener, Recorder, Silent};
pub use grove_exec::Token;
