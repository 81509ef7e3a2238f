//! What the instances of a cluster share: its releases, and what it takes to deploy by itself.
pub mod bootstrap;
mod bootstrap_secrets;
pub mod bundle;
pub(crate) mod change;
mod charts;
pub mod deploy;
pub mod difference;
mod landed;
pub(crate) mod render;
pub mod rollback;
pub(crate) mod wait;
