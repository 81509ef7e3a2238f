//! Operations without a process, a clock or a remote of their own: what they come to, and what they say.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "these are tests"
)]

mod again;
mod deploy;
mod ended;
mod example;
mod freeze;
mod gone;
mod hold;
mod instance_state;
mod once;
mod places;
mod read;
mod refused;
mod requests;
mod rollback;
mod schema;
mod stacks;
mod stale;
mod state;
