//! What images are built from.
//!
//! Grove builds no image. An image is named by what it is built from, so instances that need the same share
//! one; its digest says which build it is.

pub mod context;
mod contexts;
pub mod credentials;
pub mod plan;
