//! ...
pub mod keys;
pub mod open;
pub mod own_certificates;
pub mod names;
