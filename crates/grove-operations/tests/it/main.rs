//! Operations without a process, a clock or a remote of their own: what they come to, and what they say.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "these are tests"
)]

mod deploy;
mod ended;
mod example;
#[path = "../support/fleet.rs"]
mod fleet;
mod freeze;
mod gone;
mod hold;
mod read;
mod requests;
mod rollback;
mod schema;
mod stale;
mod world;
