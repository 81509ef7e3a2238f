//! Fingerprints of values.

use std::fmt;

use grove_core::digest;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::Secret;

/// A cluster's key for fingerprints. Without it a fingerprint, which is public, says nothing of a
/// value, not even to who guesses.
pub struct FingerprintKey(Secret);

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FingerprintKey(…)")
    }
}

impl FingerprintKey {
    /// Takes the key as the cluster's SOPS file has it.
    pub fn new(key: Secret) -> Self {
        Self(key)
    }

    /// The fingerprint of a value: 80 bits of HMAC-SHA256 over name and value, as 20 digits.
    pub(super) fn fingerprint(&self, name: &str, value: &Secret) -> String {
        let mut text = String::new();
        // HMAC takes keys of every length.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.expose().as_bytes()) {
            mac.update(b"grove fingerprint 1\0");
            mac.update(name.as_bytes());
            mac.update(b"\0");
            mac.update(value.expose().as_bytes());
            text = digest::hex(&mac.finalize().into_bytes());
        }
        text.truncate(20);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::FingerprintKey;

    #[test]
    fn depends_on_key_name_and_value() {
        let key = FingerprintKey::new("k".into());
        let print = key.fingerprint("A", &"v".into());
        assert_eq!(print.len(), 20);
        assert_eq!(print, key.fingerprint("A", &"v".into()));
        assert_ne!(print, key.fingerprint("B", &"v".into()));
        assert_ne!(print, key.fingerprint("A", &"w".into()));
        assert_ne!(
            print,
            FingerprintKey::new("l".into()).fingerprint("A", &"v".into())
        );
    }
}
