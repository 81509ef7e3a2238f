//! From instances to trees of objects, with the real Tutor.
//!
//! [`directory`] writes them for whoever wants to look; `pipeline` is what every verb renders with.

pub mod directory;
pub(crate) mod kept;
pub(crate) mod pipeline;
