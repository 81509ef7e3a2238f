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
    fn debug_output_never_holds_the_text() {
        assert_eq!(
            format!("{:?}", Some(Secret::from("hunter2"))),
            "Some(Secret(…))"
        );
    }
}
