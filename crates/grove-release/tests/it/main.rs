//! Fleets and deploy branches in real Git repositories.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose repositories cannot be made must fail, and say where"
)]

mod damage;
mod deploy;
mod gone;
mod order;
mod race;
mod remote;
mod request;
mod shared;
mod simulation;
mod snapshot;
mod support;
