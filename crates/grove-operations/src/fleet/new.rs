//! New distributions, groups and instances: commented, valid files. Nothing that is there is overwritten.

pub mod distribution;
pub mod files;
pub mod group;
pub mod instance;
