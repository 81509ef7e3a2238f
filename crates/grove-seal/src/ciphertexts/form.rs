//! Of what characters a value is.

use serde::{Deserialize, Serialize};

/// A class of texts, each but the first within the next: what a later render may know of a value
/// that nobody opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Nothing at all.
    Empty,
    /// A letter, then letters, digits, `_`, `.`, `~` and `-`, and no word that YAML reads as
    /// something else: the same text without quotes in every language.
    Word,
    /// Letters, digits, `_`, `.`, `~` and `-`, not starting with `~` or `-`: needs no escape in a
    /// URL.
    Token,
    /// Printable text on one line without quotes, `\`, `` ` ``, `$`, `{` and `}`: the same text
    /// between quotes in every language.
    Line,
    /// Printable text on one line without quotes and `\`: the same text between quotes where `$`
    /// and braces mean nothing.
    Quotable,
    /// Printable lines without quotes and `\`.
    Lines,
    /// Anything.
    Text,
}

/// Words that a reader of YAML 1.1 or 1.2 takes for a boolean or nothing, in lower case.
const YAML_WORDS: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "null", "y"];

impl Form {
    /// The narrowest class that holds `text`.
    pub fn of(text: &str) -> Self {
        let Some(first) = text.chars().next() else {
            return Self::Empty;
        };
        let unreserved = |symbol: char| symbol.is_ascii_alphanumeric() || "_.~-".contains(symbol);
        if text.chars().all(unreserved) {
            let lower = text.to_ascii_lowercase();
            let reserved = lower == "n" || YAML_WORDS.contains(&lower.as_str());
            return match first {
                '~' | '-' => Self::Line,
                letter if letter.is_ascii_alphabetic() && !reserved => Self::Word,
                _ => Self::Token,
            };
        }
        let quoting = |symbol: char| matches!(symbol, '"' | '\'' | '\\');
        if text.chars().any(quoting)
            || text
                .chars()
                .any(|symbol| symbol != '\n' && is_hidden(symbol))
        {
            Self::Text
        } else if text.contains('\n') {
            Self::Lines
        } else if text.contains(['`', '$', '{', '}']) {
            Self::Quotable
        } else {
            Self::Line
        }
    }
}

/// Characters that end a line, steer a terminal or have no width.
fn is_hidden(symbol: char) -> bool {
    symbol.is_control()
        || matches!(symbol, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn values_have_the_narrowest_form() {
        for (text, form) in [
            ("", Form::Empty),
            ("aB3_x.y~z-", Form::Word),
            ("True", Form::Token),
            ("N", Form::Token),
            ("12345678", Form::Token),
            ("1e5", Form::Token),
            (".5", Form::Token),
            ("-rf", Form::Line),
            ("~root", Form::Line),
            ("ab+/c=", Form::Line),
            ("grüße @:#%", Form::Line),
            ("pa$$word", Form::Quotable),
            ("{x}", Form::Quotable),
            ("a\nb+c", Form::Lines),
            ("it's", Form::Text),
            ("a\\b", Form::Text),
            ("a\tb", Form::Text),
            ("a\u{2028}b", Form::Text),
        ] {
            assert_eq!(Form::of(text), form, "{text:?}");
        }
    }

    #[test]
    fn names_in_files_are_stable() {
        let all = [
            Form::Empty,
            Form::Word,
            Form::Token,
            Form::Line,
            Form::Quotable,
            Form::Lines,
            Form::Text,
        ];
        let names = serde_json::to_string(&all).unwrap();
        assert_eq!(
            names,
            r#"["empty","word","token","line","quotable","lines","text"]"#
        );
    }
}
