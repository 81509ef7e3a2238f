//! A cluster as a whole: from nothing to one that runs its instances, and back to nothing.

pub mod down;
mod given;
mod kept;
pub mod up;
