//! Hiding what may be a secret in a line that is shown.

use grove_yaml::Span;

/// Whether every value of this file is a secret, whatever state it is in.
pub(crate) fn is_secrets_file(path: &str) -> bool {
    path.ends_with(".sops.yaml")
}

/// `text`, which starts at `offset` of its file, with asterisks for each byte of a secret; its
/// length stays, so that marks below it still fit.
///
/// `spans` are the file's secrets. Of a secrets file only the key at the start of the line stays.
pub(crate) fn line(text: &str, offset: usize, spans: &[Span], secrets_file: bool) -> String {
    let shown = if secrets_file { key(text) } else { text.len() };
    let mut out = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let place = offset + at;
        let hidden = at >= shown
            || spans
                .iter()
                .any(|span| (span.start..span.end).contains(&place));
        if hidden && !character.is_whitespace() {
            out.extend(std::iter::repeat_n('*', character.len_utf8()));
        } else {
            out.push(character);
        }
    }
    out
}

/// How many bytes of a line are its key, with the colon; none where it has no plain key.
fn key(text: &str) -> usize {
    let start = text.len() - text.trim_start().len();
    text[start..]
        .find(|character: char| !(character.is_ascii_alphanumeric() || "_-".contains(character)))
        .filter(|length| text[start + length..].starts_with(':'))
        .map_or(0, |length| start + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_span_is_hidden() {
        let spans = [Span { start: 14, end: 19 }];
        assert_eq!(line("A: hello # x", 11, &spans, false), "A: ***** # x");
    }

    #[test]
    fn only_the_key_of_a_secrets_file_is_shown() {
        assert_eq!(line("  KEY_1: grün", 0, &[], true), "  KEY_1: *****");
        assert_eq!(line("bare text: x", 0, &[], true), "**** ***** *");
        assert_eq!(line("tail", 0, &[], true), "****");
    }
}
