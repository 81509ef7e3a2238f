//! Fleets and deploy branches in real Git repositories.

mod damage;
mod deploy;
mod order;
mod race;
mod remote;
mod snapshot;
mod support;
