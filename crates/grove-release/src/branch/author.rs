//! Who makes a commit.

use std::fmt;

/// Who makes a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The mail address.
    pub email: String,
}

impl Author {
    /// The same without what would end the name or the address in a commit.
    pub(super) fn signature(&self) -> Self {
        let plain = |text: &str| -> String {
            text.chars()
                .filter(|c| !c.is_control() && !matches!(c, '<' | '>'))
                .collect::<String>()
                .trim()
                .to_owned()
        };
        Self {
            name: plain(&self.name),
            email: plain(&self.email),
        }
    }
}

impl fmt::Display for Author {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} <{}>", self.name, self.email)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_cannot_break_out_of_the_line() {
        let author = Author {
            name: "A <b>\nc".to_owned(),
            email: " x@example.org> ".to_owned(),
        };
        assert_eq!(author.signature().to_string(), "A bc <x@example.org>");
    }
}
