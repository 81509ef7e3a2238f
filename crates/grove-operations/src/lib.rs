//! Everything that Grove does, as functions of a request and of what is around it.
#![allow(missing_docs, reason = "while it moves")]

mod around;
pub mod consent;

mod error;
mod event;
pub mod files;
pub mod fleet;
pub mod images;
pub mod jobs;
pub mod machine;
pub mod reach;
pub mod release;
pub mod request;
pub mod render;
pub mod secrets;
pub mod shared;
pub mod stacks;
pub mod status;
pub mod text;
pub mod threads;

pub use around::{Around, Clock};
pub use error::{Error, Kind, Result};
pub use event::{Doing, Event, Listener, Recorder, Silent};
