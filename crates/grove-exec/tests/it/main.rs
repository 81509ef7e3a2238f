//! Running real programs, confined and not.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail it")]

mod run;
mod sandbox;
mod token;
