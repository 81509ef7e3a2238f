//! From Tutor's objects to an instance's deploy tree.
//!
//! Pure: no file system, process, clock or terminal. The way goes
//!
//! 1. [`request`]: an instance of the fleet becomes what Tutor is told;
//! 2. Tutor and Kustomize make objects of it, outside of this crate;
//! 3. [`render`]: the [passes] turn them into a [`Tree`].
//!
//! A tree holds placeholders (`@@NAME@@`) for secrets and logical names for what sealing names by
//! content: configuration objects and Jobs.

pub mod annotations;
mod argo;
mod caddy;
mod components;
mod data;
mod data_services;
mod error;
mod frontend;
mod hosts;
mod image;
mod names;
mod object;
mod once;
mod passes;
mod pod;
mod python;
mod render;
mod request;
mod roots;
mod shared;
mod tasks;
#[cfg(test)]
mod testing;
mod trace;
mod workloads;

pub use data::{DATA_NAMESPACE, DataJob, data_job, data_namespace, data_secrets, data_services};
pub use error::Error;
pub use grove_core::{Task, TutorInput, TutorOutput};
pub use image::{NETRC, image_request};
pub use once::{FILES, Once, once};
pub use passes::{Pass, passes};
pub use render::{Input, Tree, placeholders, render, render_traced};
pub use request::request;
pub use roots::roots;
pub use shared::{HARMONY, SharedInput, SharedTree, definitions, shared};
pub use trace::Change;
