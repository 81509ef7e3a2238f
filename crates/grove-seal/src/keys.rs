//! Keys that Grove makes: the cluster's sealing key pair and fingerprint key, and operators' tokens.

mod sealing;
mod token;

pub use sealing::{KeyPair, SEALING_BITS, SealingKey, new_key_pair};
pub use token::{new_fingerprint_key, new_token};

/// Why a key could not be made or read. Never holds a key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The RSA library refuses, as for a size that is too small.
    #[error("no RSA key pair could be made: {0}")]
    Generation(String),
    /// A certificate could not be written.
    #[error("no certificate could be made: {0}")]
    Writing(String),
    /// A sealing certificate cannot be read.
    #[error("the sealing certificate cannot be read: {0}")]
    Certificate(String),
    /// A sealing certificate that has a key of another kind, or one too short.
    #[error("the sealing certificate has no RSA key of at least 1024 bits")]
    NotRsa,
}

impl Error {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Certificate(_) | Self::NotRsa => Some(
                "`sealing.pem` is the certificate that the cluster's Sealed Secrets controller serves at /v1/cert.pem"
                    .to_owned(),
            ),
            Self::Generation(_) | Self::Writing(_) => None,
        }
    }
}
