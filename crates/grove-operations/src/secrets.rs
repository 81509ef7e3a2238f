//! The fleet's secrets: where they stand, who reads them, and how they get other values.
//!
//! Values are arguments and results beside a request and an outcome, never in them: requests and outcomes
//! are written down.

pub mod classes;
pub mod generate;
pub(crate) mod keys;
pub(crate) mod names;
pub(crate) mod open;
pub(crate) mod own_certificates;
pub mod owner;
pub mod remove;
pub mod rotate;
pub mod sealing_key;
pub mod set;
pub mod show;
#[cfg(test)]
mod tests;
mod tutor;
pub mod who;
