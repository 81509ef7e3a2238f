//! A plain secret in memory.

use std::fmt;

use rand::{Rng as _, distributions::Alphanumeric, rngs::OsRng};
use zeroize::Zeroizing;

/// The plain text of a secret: overwritten when it is dropped, and never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes `text` over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// A new password from the operating system's random numbers: 32 letters and digits, which mean
    /// nothing to a shell, a URL, SQL or Python.
    pub fn password() -> Self {
        const LENGTH: usize = 32;
        let letters = OsRng.sample_iter(&Alphanumeric).take(LENGTH);
        Self::new(letters.map(char::from).collect())
    }

    /// A new random UUID (version 4, RFC 9562 §5.4) from the operating system's random numbers.
    pub fn uuid() -> Self {
        let mut bits: u128 = OsRng.r#gen();
        bits = bits & !(0xf << 76) | 4 << 76;
        bits = bits & !(0b11 << 62) | 0b10 << 62;
        let hex = Zeroizing::new(format!("{bits:032x}"));
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
        let parts: Vec<&str> = parts.into_iter().filter_map(|part| hex.get(part)).collect();
        Self::new(parts.join("-"))
    }

    /// The plain text. Whoever asks for it answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn passwords_are_long_and_differ() {
        let (one, other) = (Secret::password(), Secret::password());
        assert!(one != other && one.expose().len() == 32);
    }

    #[test]
    fn uuids_are_random_ones() {
        let all: std::collections::BTreeSet<String> = (0..200)
            .map(|_| Secret::uuid().expose().to_owned())
            .collect();
        assert_eq!(all.len(), 200);
        for uuid in all {
            let parts: Vec<&str> = uuid.split('-').collect();
            let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{uuid}");
            assert!(parts[2].starts_with('4'), "{uuid}");
            assert!(parts[3].starts_with(['8', '9', 'a', 'b']), "{uuid}");
        }
    }

    #[test]
    fn debug_output_never_holds_the_text() {
        assert_eq!(
            format!("{:?}", Some(Secret::from("hunter2"))),
            "Some(Secret(…))"
        );
    }
}
