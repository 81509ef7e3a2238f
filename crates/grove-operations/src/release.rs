//! ...
pub mod data_applied;
pub mod follow;
pub mod frozen;
pub mod seal;
pub mod remotes;
pub mod records;
pub mod history;
pub mod hold;
pub mod publish;
pub mod difference;
pub mod freeze;
pub mod init_task;
pub mod rollback;
pub mod init;
pub mod landed;
