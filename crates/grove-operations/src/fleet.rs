//! ...
pub mod commit;
pub mod new;
pub mod origin;
pub mod selection;
pub mod workspace;
pub mod find;
