//! What a commit of a deploy branch says.

use std::fmt;

use crate::{Id, RequestId};

/// What the trailer `Grove-Source` adds for a source with changes that are in no commit.
const LOCAL: &str = " with local changes";
/// The trailer that names a request.
const REQUEST: &str = "Grove-Request";

/// A commit's message: subject, text, and the trailers that lead from the deploy branch back to the
/// fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The first line.
    pub subject: String,
    /// More, where there is more to say.
    pub text: Option<String>,
    /// `Grove-Source`: the fleet's commit.
    pub source: Option<Id>,
    /// Whether the source had changes that are in no commit; its trailer says so.
    pub local: bool,
    /// `Grove-Release`: instance and number, one trailer each.
    pub releases: Vec<(String, u32)>,
    /// `Grove-Request`: the request that the commit carries out. A request makes at most one commit on
    /// a branch.
    pub request: Option<RequestId>,
    /// `Grove-Version`: this program's version.
    pub grove: String,
}

impl Message {
    /// Reads a commit's message.
    pub(super) fn read(whole: &str) -> Self {
        let (subject, text, trailers) = parts(whole);
        let mut message = Self {
            subject: one_line(subject),
            text: Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            ..Self::default()
        };
        for (key, value) in trailers {
            match key {
                "Grove-Source" => {
                    let id = value.strip_suffix(LOCAL);
                    message.local = id.is_some();
                    message.source = id.unwrap_or(value).parse().ok();
                }
                "Grove-Release" => message.releases.extend(
                    value
                        .rsplit_once('/')
                        .and_then(|(name, number)| Some((name.to_owned(), number.parse().ok()?))),
                ),
                REQUEST => message.request = message.request.or_else(|| value.parse().ok()),
                "Grove-Version" => value.clone_into(&mut message.grove),
                _ => {}
            }
        }
        message
    }

    /// The request that a message names; the same as of [`Self::read`], and cheaper.
    pub(super) fn request(whole: &str) -> Option<RequestId> {
        parts(whole)
            .2
            .into_iter()
            .filter(|(key, _)| *key == REQUEST)
            .find_map(|(_, value)| value.parse().ok())
    }
}

/// A message's subject, its text and its trailers. These are looked for in the last paragraph and nowhere
/// else, and only where that consists of trailers alone; a subject is none.
fn parts(whole: &str) -> (&str, &str, Vec<(&str, &str)>) {
    let (subject, rest) = whole.split_once("\n\n").unwrap_or((whole, ""));
    let rest = rest.trim_start_matches('\n').trim_end();
    let (text, last) = rest.rsplit_once("\n\n").unwrap_or(("", rest));
    match trailers(last) {
        Some(trailers) => (subject, text, trailers),
        None => (subject, rest, Vec::new()),
    }
}

/// The lines of a paragraph as key and value, if each of them is a trailer.
fn trailers(paragraph: &str) -> Option<Vec<(&str, &str)>> {
    let is_key = |key: &str| {
        !key.is_empty()
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    paragraph
        .lines()
        .map(|line| {
            line.split_once(':')
                .filter(|(key, _)| is_key(key))
                .map(|(key, value)| (key, value.trim()))
        })
        .collect()
}

impl fmt::Display for Message {
    /// The whole message. The trailers are its last paragraph, so that no text above can pass for one.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}\n", one_line(&self.subject).replace('\0', ""))?;
        if let Some(text) = &self.text
            && !text.trim().is_empty()
        {
            writeln!(formatter, "{}\n", text.trim().replace(['\0', '\r'], ""))?;
        }
        if let Some(source) = self.source {
            let local = if self.local { LOCAL } else { "" };
            writeln!(formatter, "Grove-Source: {source}{local}")?;
        }
        for (instance, release) in &self.releases {
            writeln!(formatter, "Grove-Release: {}/{release:04}", plain(instance))?;
        }
        if let Some(request) = &self.request {
            writeln!(formatter, "{REQUEST}: {request}")?;
        }
        writeln!(formatter, "Grove-Version: {}", plain(&self.grove))
    }
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// The same without what could begin another line.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message() -> Message {
        Message {
            subject: "deploy\nuni".to_owned(),
            text: Some("A new theme.\n\nGrove-Release: other/0009\n".to_owned()),
            source: Some("1111111111111111111111111111111111111111".parse().unwrap()),
            local: true,
            releases: vec![("uni".to_owned(), 7), ("two".to_owned(), 12)],
            request: None,
            grove: "0.1.0".to_owned(),
        }
    }

    #[test]
    fn a_message_ends_in_its_trailers() {
        insta::assert_snapshot!(message(), @"
        deploy uni

        A new theme.

        Grove-Release: other/0009

        Grove-Source: 1111111111111111111111111111111111111111 with local changes
        Grove-Release: uni/0007
        Grove-Release: two/0012
        Grove-Version: 0.1.0
        ");
    }

    #[test]
    fn a_request_stands_before_the_version() {
        let message = Message {
            subject: "hold uni".to_owned(),
            request: Some("hold-1".parse().unwrap()),
            grove: "0.1.0".to_owned(),
            ..Message::default()
        };
        insta::assert_snapshot!(message, @"
        hold uni

        Grove-Request: hold-1
        Grove-Version: 0.1.0
        ");
    }

    #[test]
    fn only_a_last_paragraph_of_trailers_has_trailers() {
        let request = |whole: &str| {
            Message::read(whole)
                .request
                .map_or_else(|| "none".to_owned(), String::from)
        };
        for (whole, expected) in [
            ("deploy\n\nGrove-Request: a\n", "a"),
            (
                "deploy\n\ntext\n\nGrove-Request: a\nSigned-off-by: Ada <a@b.c>\n",
                "a",
            ),
            ("\n\nGrove-Request: a\n", "a"),
            ("deploy\n\n\n\nGrove-Request: a\n\n\n", "a"),
            ("deploy\n\nGrove-Request: a\nGrove-Request: b\n", "a"),
            // A subject is none, nor is a paragraph with other text in it or after it.
            ("Grove-Request: a", "none"),
            ("Grove-Request: a\n\n", "none"),
            ("deploy\nGrove-Request: a\n", "none"),
            ("deploy\n\nGrove-Request: a\n\nGrove-Version: 1\n", "none"),
            ("deploy\n\nGrove-Request: a\n\ntext\n", "none"),
            ("deploy\n\ntext\nGrove-Request: a\n", "none"),
            ("deploy\n\nGrove-Request: a\ntext\n", "none"),
            ("deploy\n\n Grove-Request: a\n", "none"),
            ("deploy\n\nGrove-Request: Not One\n", "none"),
            ("deploy\n\nX-Grove-Request: a\n", "none"),
            ("deploy", "none"),
            ("", "none"),
        ] {
            assert_eq!(request(whole), expected, "{whole:?}");
        }
        let by_hand = Message::read("fix it\n\nby hand: really\n\nall of it\n");
        assert_eq!(by_hand.subject, "fix it");
        assert_eq!(
            by_hand.text.as_deref(),
            Some("by hand: really\n\nall of it")
        );
    }

    /// Text with many line ends and much that looks like a trailer.
    fn text() -> impl Strategy<Value = String> {
        let pieces = [
            "\n",
            "\n\n",
            "\r\n",
            "\r",
            "\0",
            " ",
            "\t",
            "a",
            "word",
            ": ",
            "\u{85}",
            "\u{2028}",
            "Grove-Request: fake",
            "Grove-Release: fake/0001",
            "Grove-Version: 9",
        ];
        proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..12)
            .prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_text_passes_for_a_trailer(
            (subject, above) in (text(), proptest::option::of(text())),
            (instance, grove) in (text(), text()),
            request in proptest::option::of("[a-z0-9-]{1,64}"),
            (source, local) in (proptest::option::of("[0-9a-f]{40}"), any::<bool>()),
        ) {
            let source = source.map(|id| id.parse().unwrap());
            let written = Message {
                subject,
                text: above,
                source,
                local: local && source.is_some(),
                releases: vec![(instance, 7)],
                request: request.map(|id| id.parse().unwrap()),
                grove,
            };
            let read = Message::read(&written.to_string());
            prop_assert_eq!(&read.request, &written.request);
            prop_assert_eq!(Message::request(&written.to_string()), written.request);
            prop_assert_eq!(read.source, written.source);
            prop_assert_eq!(read.local, written.local);
            prop_assert_eq!(read.releases.len(), 1);
            prop_assert_eq!(read.releases[0].1, 7);
            // Written again it is the same.
            prop_assert_eq!(Message::read(&read.to_string()), read);
        }
    }
}
