//! From text with placeholders to the Go template that the controller fills, and back.
//!
//! Text stays as it is, so that a reader of the deploy tree sees the file. A placeholder becomes
//! `{{ index . "NAME" }}`. What the controller could take for an action of the author's becomes a
//! quoted literal: its templates can read the controller's environment and more.

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::placeholder::{Piece, pieces};

const BYTES: &str = "{{ b64dec \"";

/// The template of a text.
pub(super) fn to_template(text: &str) -> String {
    let mut template = String::with_capacity(text.len() + 64);
    let mut pieces = pieces(text).into_iter().peekable();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Name(name) => {
                template.push_str("{{ index . \"");
                template.push_str(name);
                template.push_str("\" }}");
            }
            Piece::Literal(text) => literal(text, pieces.peek().is_some(), &mut template),
        }
    }
    template
}

/// The template of bytes that are no text.
pub(super) fn bytes_to_template(bytes: &[u8]) -> String {
    format!("{BYTES}{}\" }}}}", BASE64_STANDARD.encode(bytes))
}

/// Writes a literal. A run of braces opens an action where it has two, or where one stands right
/// before an action of ours; other text opens none.
fn literal(mut text: &str, before_action: bool, template: &mut String) {
    while let Some(at) = text.find('{') {
        let (before, rest) = text.split_at(at);
        template.push_str(before);
        let after = rest.trim_start_matches('{');
        let run = &rest[..rest.len() - after.len()];
        if run.len() > 1 || (after.is_empty() && before_action) {
            template.push_str("{{ \"");
            template.push_str(run);
            template.push_str("\" }}");
        } else {
            template.push_str(run);
        }
        text = after;
    }
    template.push_str(text);
}

/// What a template of ours was made from.
pub(super) enum Content {
    /// Text with placeholders.
    Text(String),
    /// Bytes, in base64.
    Bytes(String),
}

/// What a template was made from; none where it is not one of ours.
pub(super) fn from_template(template: &str) -> Option<Content> {
    if let Some(rest) = template.strip_prefix(BYTES)
        && let Some(encoded) = rest.strip_suffix("\" }}")
        && !encoded.contains('"')
    {
        return Some(Content::Bytes(encoded.to_owned()));
    }
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, action)) = rest.split_once("{{") {
        text.push_str(before);
        let (inside, after) = action.split_once("\" }}")?;
        if let Some(name) = inside.strip_prefix(" index . \"") {
            text.push_str("@@");
            text.push_str(name);
            text.push_str("@@");
        } else {
            let braces = inside.strip_prefix(" \"")?;
            if braces.is_empty() || braces.contains(|symbol| symbol != '{') {
                return None;
            }
            text.push_str(braces);
        }
        rest = after;
    }
    text.push_str(rest);
    Some(Content::Text(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Content, bytes_to_template, from_template, to_template};

    fn back(template: &str) -> String {
        match from_template(template) {
            Some(Content::Text(text)) => text,
            _ => panic!("not a template of ours: {template}"),
        }
    }

    #[test]
    fn text_stays_readable() {
        assert_eq!(
            to_template("KEY = \"@@A@@\"\nLOG = {\"a\": {}}\n"),
            "KEY = \"{{ index . \"A\" }}\"\nLOG = {\"a\": {}}\n"
        );
    }

    #[test]
    fn nothing_an_author_writes_opens_an_action() {
        assert_eq!(
            to_template("{{ env \"HOME\" }}"),
            "{{ \"{{\" }} env \"HOME\" }}"
        );
        assert_eq!(to_template("{@@A@@}"), "{{ \"{\" }}{{ index . \"A\" }}}");
        assert_eq!(to_template("{{{"), "{{ \"{{{\" }}");
        assert_eq!(to_template("{"), "{");
        assert_eq!(to_template("{{@@A@@"), "{{ \"{{\" }}{{ index . \"A\" }}");
    }

    #[test]
    fn a_foreign_template_is_not_ours() {
        for template in [
            "{{ env \"HOME\" }}",
            "{{",
            "{{ \"\" }}",
            "{{ index . \"A\" | quote }}",
        ] {
            assert!(from_template(template).is_none(), "{template}");
        }
        assert!(
            matches!(from_template(&bytes_to_template(b"\xff")), Some(Content::Bytes(text)) if text == "/w==")
        );
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "([{}\"`\\\\$ @A\n-]|@@A_1@@|é|\\PC){0,40}") {
            prop_assert_eq!(back(&to_template(&text)), text);
        }
    }
}
