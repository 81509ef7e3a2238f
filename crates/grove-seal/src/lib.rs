//! Secrets: SOPS files in, Sealed Secrets out, and a scan of everything between.
//!
//! This is the only crate that sees plain secrets. It looks at no environment and no clock: the
//! binary hands it keys, texts and times. What leaves it is ciphertext, or a [`Secret`], which is
//! overwritten when dropped and never printed.

pub mod ciphertexts;
pub mod derive;
pub mod keys;
mod names;
mod placeholder;
pub mod positions;
pub mod scan;
pub mod seal;
mod secret;
pub mod source;
pub mod tls;

pub use ciphertexts::{Ciphertext, Ciphertexts, Form};
pub use secret::Secret;
