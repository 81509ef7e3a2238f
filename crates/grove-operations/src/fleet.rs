//! ...
pub mod commit;
pub mod origin;
pub mod selection;
pub mod workspace;
pub mod find;
