//! ...
pub mod directory;
pub mod kept;
pub mod pipeline;
