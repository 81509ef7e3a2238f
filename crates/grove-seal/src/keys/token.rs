//! Random text.

use base64::{Engine, prelude::BASE64_STANDARD};
use rand::{Rng, RngCore, distributions::Alphanumeric, rngs::OsRng};
use zeroize::Zeroizing;

use crate::Secret;

/// A random text of `length` letters and digits (5.95 bits each): safe in every place a secret is
/// put into, from a URL to a shell script. It starts with a letter, so that no reader of YAML takes
/// it for a number.
pub fn new_token(length: usize) -> Secret {
    let letter = loop {
        let symbol = char::from(OsRng.sample(Alphanumeric));
        if symbol.is_ascii_alphabetic() {
            break symbol;
        }
    };
    // Filled to its size at once: growing would leave copies behind.
    let mut text = String::with_capacity(length);
    text.push(letter);
    text.extend((1..length).map(|_| char::from(OsRng.sample(Alphanumeric))));
    text.truncate(length);
    Secret::new(text)
}

/// A cluster's fingerprint key: 32 random bytes in base64.
pub fn new_fingerprint_key() -> Secret {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    OsRng.fill_bytes(bytes.as_mut());
    Secret::new(BASE64_STANDARD.encode(bytes.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::{new_fingerprint_key, new_token};

    #[test]
    fn tokens_have_their_length_and_start_with_a_letter() {
        for length in [0, 1, 8, 40] {
            let token = new_token(length);
            assert_eq!(token.expose().len(), length);
            assert!(
                token
                    .expose()
                    .chars()
                    .all(|symbol| symbol.is_ascii_alphanumeric())
            );
            assert!(
                token
                    .expose()
                    .chars()
                    .next()
                    .is_none_or(|first| first.is_ascii_alphabetic())
            );
        }
        assert_ne!(new_token(40), new_token(40));
        assert_eq!(new_fingerprint_key().expose().len(), 44);
    }
}
