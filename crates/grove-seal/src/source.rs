//! Where secrets come from: SOPS files in the fleet, read and written as the `sops` program does.
//!
//! A file whose data key is encrypted to age recipients is handled here; one with other recipients
//! only (KMS, Vault, PGP), or with rules that only `sops` knows, goes through that program: [`SopsFile::needs_program`] says which, [`Sops`] calls it.

mod age_key;
mod cipher;
mod create;
mod error;
mod file;
mod identities;
mod metadata;
mod program;
mod rules;

pub use create::{Tree, create};
pub use error::Error;
pub use file::{OpenFile, SopsFile};
pub use identities::{Identities, Place, new_identity, places};
pub use program::Sops;
pub use rules::{Creation, creation_for};

#[cfg(test)]
mod tests;
