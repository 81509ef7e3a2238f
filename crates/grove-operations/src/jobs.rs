//! What runs beside a release: Jobs and pods that are made once, and what pods wrote.

pub mod answers;
pub mod data;
pub mod do_job;
mod follow;
pub mod instance;
pub mod known;
pub mod logs;
mod record;
mod release;
pub mod run;
pub mod shell;
pub mod tutor;
