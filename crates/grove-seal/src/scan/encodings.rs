//! The ways in which a value may be written.

use std::fmt;

use base64::{
    Engine,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use grove_core::digest;
use zeroize::Zeroizing;

use crate::Secret;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encoding {
    /// As it is.
    Plain,
    /// One of its lines, as it is.
    Line,
    /// In base64, at any offset.
    Base64,
    /// With percent signs, as in a URL.
    Url,
    /// With backslashes, as in JSON or Python.
    Escaped,
    /// In hexadecimal digits.
    Hex,
}

impl fmt::Display for Encoding {
    /// What follows "the value stands there".
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Plain => " in plain text",
            Self::Line => ", a line of it, in plain text",
            Self::Base64 => " in base64",
            Self::Url => ", encoded as in a URL",
            Self::Escaped => ", escaped as in JSON or Python",
            Self::Hex => " in hexadecimal digits",
        })
    }
}

/// Whether a value cannot be told from text that happens to be the same: a word, a short number.
pub(super) fn is_weak(value: &str) -> bool {
    let length = value.chars().count();
    let all = |is: fn(&u8) -> bool| value.bytes().all(|byte| is(&byte));
    length < 6
        || (length < 12
            && all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_' | b'.')))
        || (length < 12 && all(u8::is_ascii_digit))
}

/// Every text that gives a value away.
pub(super) fn all(value: &Secret) -> Vec<(Encoding, Zeroizing<String>)> {
    let plain = value.expose();
    let mut texts = vec![(Encoding::Plain, plain.to_owned())];
    let escaped = |quote: char| -> String {
        plain
            .chars()
            .flat_map(|symbol| match symbol {
                '\n' => vec!['\\', 'n'],
                '\t' => vec!['\\', 't'],
                '\r' => vec!['\\', 'r'],
                '\\' => vec!['\\', '\\'],
                symbol if symbol == quote => vec!['\\', symbol],
                symbol => vec![symbol],
            })
            .collect()
    };
    texts.push((Encoding::Escaped, escaped('"')));
    texts.push((Encoding::Escaped, escaped('\'')));
    texts.push((
        Encoding::Escaped,
        serde_json::to_string(plain)
            .unwrap_or_default()
            .trim_matches('"')
            .to_owned(),
    ));
    for (reserved, space, upper) in [
        ("", "%20", true),
        ("", "%20", false),
        ("", "+", true),
        ("/", "%20", true),
    ] {
        texts.push((Encoding::Url, percent(plain, reserved, space, upper)));
    }
    for padding in 0..3 {
        for engine in [&BASE64_STANDARD_NO_PAD, &BASE64_URL_SAFE_NO_PAD] {
            texts.push((
                Encoding::Base64,
                base64_core(engine, plain.as_bytes(), padding),
            ));
        }
    }
    texts.push((Encoding::Hex, digest::hex(plain.as_bytes())));
    texts.push((Encoding::Hex, digest::hex(plain.as_bytes()).to_uppercase()));
    if plain.contains('\n') {
        let lines = plain.lines().map(str::trim);
        // The markers of PEM are everywhere; its body is not.
        for line in lines.filter(|line| line.len() >= 24 && !line.starts_with("-----")) {
            texts.push((Encoding::Line, line.to_owned()));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    let texts = texts
        .into_iter()
        .map(|(encoding, text)| (encoding, Zeroizing::new(text)));
    texts
        .filter(|(_, text)| text.len() >= 6 && seen.insert(digest::sha256(text.as_bytes())))
        .collect()
}

fn percent(plain: &str, kept: &str, space: &str, upper: bool) -> String {
    let mut out = String::new();
    for byte in plain.bytes() {
        match byte {
            b' ' => out.push_str(space),
            byte if byte.is_ascii_alphanumeric()
                || b"-_.~".contains(&byte)
                || kept.as_bytes().contains(&byte) =>
            {
                out.push(char::from(byte));
            }
            byte => {
                let digits = digest::hex(&[byte]);
                out.push('%');
                out.push_str(&if upper { digits.to_uppercase() } else { digits });
            }
        }
    }
    out
}

/// What base64 makes of a value behind `offset` bytes of other text, without the symbols that other
/// bytes have a part in. Empty where too little is left to mean anything.
fn base64_core(engine: &impl Engine, value: &[u8], offset: usize) -> String {
    let mut bytes = Zeroizing::new(vec![0; offset]);
    bytes.extend_from_slice(value);
    let encoded = Zeroizing::new(engine.encode(bytes.as_slice()));
    // 8 bits a byte, 6 a symbol: the first whole symbol of the value, and the last.
    let start = (offset * 8).div_ceil(6);
    let end = bytes.len() * 8 / 6;
    let core = encoded.get(start..end).unwrap_or_default();
    if core.len() < 8 {
        String::new()
    } else {
        core.to_owned()
    }
}
