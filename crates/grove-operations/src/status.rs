//! What should run and what runs.

pub mod gather;
pub mod now;
pub mod watch;
