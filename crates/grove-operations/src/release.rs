//! Releases on deploy branches: held, frozen, rolled back, listed, compared and followed.
//!
//! The verbs are [`rollback`], [`hold`], [`freeze`], [`init`], [`history`] and [`difference`]; beside them stands
//! what they and deploys share: where the branches are (`remotes`), sealing (`seal`), and the one place that
//! commits (`publish`).

pub(crate) mod again;
pub(crate) mod data_applied;
pub mod difference;
pub mod follow;
pub mod freeze;
pub mod frozen;
pub mod history;
pub mod hold;
pub mod init;
pub(crate) mod init_task;
pub(crate) mod landed;
pub(crate) mod publish;
pub(crate) mod records;
pub(crate) mod remotes;
pub mod rollback;
pub(crate) mod seal;
