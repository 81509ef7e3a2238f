//! The fleet: its files at one moment, what they say, and new ones.

pub(crate) mod commit;
pub mod explain;
pub mod find;
pub mod history;
pub mod lock;
pub mod new;
pub(crate) mod origin;
pub mod rules;
pub mod schemas;
pub mod selection;
pub(crate) mod workspace;
