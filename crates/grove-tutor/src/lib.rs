//! Tutor: distributions that are locked and installed, and the worker that renders with them.

pub mod cache;
pub mod environment;
pub mod lock;

pub use cache::{Cache, Progress};
pub use environment::{Environment, environment};
pub use lock::lock;
