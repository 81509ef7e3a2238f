//! What a template computes of secrets, as its name says it.
//!
//! A name is a secret's own, then the steps, each after two underscores: `A__PRE_783A__B64` is the
//! base64 of `x:` and the value of `A`. `worker/grove_worker/derivations.py` writes such names, and
//! leaves to Python what a text is; each step gives what Python's function of that name gives.

use std::fmt::Write as _;

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE},
};
use grove_core::digest::hex;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::Error;
use crate::Secret;

/// A value on its way: bytes, since a hash is no text.
type Bytes = Zeroizing<Vec<u8>>;

/// What is computed, and of which secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    /// The name of the value that it begins with.
    pub(super) base: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Text before.
    Pre(String),
    /// Text behind.
    Post(String),
    /// The value of another name behind.
    And(String),
    /// Python's slice: from, to, step.
    Slice([Option<i64>; 3]),
    Plain(Plain),
}

/// A step without parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plain {
    Upper,
    Lower,
    Capitalize,
    Title,
    Length,
    Json,
    JsonUnicode,
    JsonHtml,
    Html,
    Url,
    UrlAll,
    UrlQuery,
    Base64,
    Base64Url,
    Hex,
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// Why a value cannot be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// A step needs text.
    NotText,
    /// A step is computed for ASCII alone.
    NotAscii,
}

impl Program {
    /// The program that a name is, where it begins with one that `is_known`: the longest such.
    pub(super) fn of(name: &str, is_known: &dyn Fn(&str) -> bool) -> Option<Self> {
        let mut steps = Vec::new();
        let mut base = name;
        while let Some((before, step)) = split(base) {
            steps.insert(0, step);
            base = before;
            if is_known(base) {
                return Some(Self {
                    base: base.to_owned(),
                    steps,
                });
            }
        }
        None
    }

    /// What it is computed of, where the name is a program's at all: its shortest beginning.
    pub(super) fn guess(name: &str) -> Option<&str> {
        let mut base = name;
        while let Some((before, _)) = split(base) {
            base = before;
        }
        (base != name).then_some(base)
    }

    /// Every name whose value it needs.
    pub(super) fn parents(&self) -> impl Iterator<Item = &str> {
        let others = self.steps.iter().filter_map(|step| match step {
            Step::And(name) => Some(name.as_str()),
            _ => None,
        });
        std::iter::once(self.base.as_str()).chain(others)
    }

    /// Its value, where `value` gives those of its parents.
    pub(super) fn run(
        &self,
        name: &str,
        value: &dyn Fn(&str) -> Result<Secret, Error>,
    ) -> Result<Secret, Error> {
        let told = |failure| match failure {
            Failure::NotText => Error::NotText(name.to_owned()),
            Failure::NotAscii => Error::NotAscii(name.to_owned()),
        };
        let bytes_of = |name: &str| Ok::<_, Error>(value(name)?.expose().as_bytes().to_vec());
        let mut bytes = Bytes::new(bytes_of(&self.base)?);
        for step in &self.steps {
            bytes = match step {
                Step::Pre(text) => Bytes::new([text.as_bytes(), &bytes].concat()),
                Step::Post(text) => Bytes::new([&bytes, text.as_bytes()].concat()),
                Step::And(name) => {
                    let other = Bytes::new(bytes_of(name)?);
                    Bytes::new([bytes.as_slice(), other.as_slice()].concat())
                }
                Step::Slice(range) => {
                    let text = text(&bytes).map_err(told)?;
                    slice(text, *range).into_bytes().into()
                }
                Step::Plain(step) => step.run(&bytes).map_err(told)?,
            };
        }
        Ok(Secret::new(text(&bytes).map_err(told)?.to_owned()))
    }
}

/// The last step of a name, and what stands before it.
fn split(name: &str) -> Option<(&str, Step)> {
    let (before, word) = name.rsplit_once("__")?;
    if before.is_empty() {
        return None;
    }
    let step = match word.split_once('_') {
        Some(("PRE", digits)) => Step::Pre(unhex(digits)?),
        Some(("POST", digits)) => Step::Post(unhex(digits)?),
        Some(("AND", digits)) => Step::And(unhex(digits)?),
        Some(("SLICE", numbers)) => {
            let numbers: Vec<Option<i64>> =
                numbers.split('_').map(number).collect::<Option<_>>()?;
            Step::Slice(numbers.try_into().ok()?)
        }
        Some(_) => return None,
        None => Step::Plain(Plain::parse(word)?),
    };
    Some((before, step))
}

fn unhex(digits: &str) -> Option<String> {
    let pairs = digits.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| {
        let pair = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    String::from_utf8(bytes.collect::<Option<_>>()?).ok()
}

/// A number of a slice: `N` for none, `M3` for -3.
#[expect(
    clippy::option_option,
    reason = "none is a number's absence, and no number at all"
)]
fn number(word: &str) -> Option<Option<i64>> {
    if word == "N" {
        return Some(None);
    }
    let (sign, digits) = match word.strip_prefix('M') {
        Some(digits) => (-1, digits),
        None => (1, word),
    };
    let number: u32 = digits.parse().ok()?;
    Some(Some(sign * i64::from(number)))
}

impl Plain {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "UPPER" => Self::Upper,
            "LOWER" => Self::Lower,
            "CAPITALIZE" => Self::Capitalize,
            "TITLE" => Self::Title,
            "LENGTH" => Self::Length,
            "JSON" => Self::Json,
            "JSONU" => Self::JsonUnicode,
            "JSONHTML" => Self::JsonHtml,
            "HTML" => Self::Html,
            "URL" => Self::Url,
            "URLALL" => Self::UrlAll,
            "URLQUERY" => Self::UrlQuery,
            "B64" => Self::Base64,
            "B64URL" => Self::Base64Url,
            "HEX" => Self::Hex,
            "MD5" => Self::Md5,
            "SHA1" => Self::Sha1,
            "SHA224" => Self::Sha224,
            "SHA256" => Self::Sha256,
            "SHA384" => Self::Sha384,
            "SHA512" => Self::Sha512,
            _ => return None,
        })
    }

    fn run(self, bytes: &[u8]) -> Result<Bytes, Failure> {
        let made = match self {
            Self::Upper => text(bytes)?.to_uppercase(),
            Self::Lower => text(bytes)?.to_lowercase(),
            Self::Capitalize => capitalize(text(bytes)?)?,
            Self::Title => title(text(bytes)?),
            Self::Length => text(bytes)?.chars().count().to_string(),
            Self::Json => json(text(bytes)?, true),
            Self::JsonUnicode => json(text(bytes)?, false),
            Self::JsonHtml => {
                let mut html = json(text(bytes)?, true);
                for (symbol, escape) in [
                    ("<", "\\u003c"),
                    (">", "\\u003e"),
                    ("&", "\\u0026"),
                    ("'", "\\u0027"),
                ] {
                    html = html.replace(symbol, escape);
                }
                html
            }
            Self::Html => html(text(bytes)?),
            Self::Url => quote(bytes, b"/"),
            Self::UrlAll => quote(bytes, b""),
            Self::UrlQuery => quote(bytes, b"").replace("%20", "+"),
            Self::Base64 => BASE64_STANDARD.encode(bytes),
            Self::Base64Url => BASE64_URL_SAFE.encode(bytes),
            Self::Hex => hex(bytes),
            Self::Md5 => return Ok(hash::<Md5>(bytes)),
            Self::Sha1 => return Ok(hash::<Sha1>(bytes)),
            Self::Sha224 => return Ok(hash::<Sha224>(bytes)),
            Self::Sha256 => return Ok(hash::<Sha256>(bytes)),
            Self::Sha384 => return Ok(hash::<Sha384>(bytes)),
            Self::Sha512 => return Ok(hash::<Sha512>(bytes)),
        };
        Ok(made.into_bytes().into())
    }
}

fn text(bytes: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(bytes).map_err(|_| Failure::NotText)
}

fn hash<H: Digest>(bytes: &[u8]) -> Bytes {
    H::digest(bytes).to_vec().into()
}

/// Python's `capitalize`, whose first letter beyond ASCII may have a title case of its own.
fn capitalize(text: &str) -> Result<String, Failure> {
    if !text.is_ascii() {
        return Err(Failure::NotAscii);
    }
    let mut made = text.to_ascii_lowercase();
    if let Some(first) = made.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Ok(made)
}

/// Jinja's `title`: a word begins behind `-`, `(`, `{`, `[`, `<` and white space.
fn title(text: &str) -> String {
    let divides = |symbol: char| {
        symbol.is_whitespace()
            || matches!(symbol, '-' | '(' | '{' | '[' | '<' | '\u{1c}'..='\u{1f}')
    };
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest
            .find(|symbol| divides(symbol) != divides(first))
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let (head, tail) = word.split_at(first.len_utf8());
        made.push_str(&head.to_uppercase());
        made.push_str(&tail.to_lowercase());
        rest = after;
    }
    made
}

/// Python's slice of a text.
fn slice(text: &str, [from, to, step]: [Option<i64>; 3]) -> String {
    let symbols: Vec<char> = text.chars().collect();
    let length = i64::try_from(symbols.len()).unwrap_or(i64::MAX);
    let step = step.unwrap_or(1);
    let (lowest, highest) = if step < 0 {
        (-1, length - 1)
    } else {
        (0, length)
    };
    let place = |at: i64| if at < 0 { at + length } else { at }.clamp(lowest, highest);
    let (first, last) = if step < 0 {
        (highest, lowest)
    } else {
        (lowest, highest)
    };
    let mut at = from.map_or(first, place);
    let end = to.map_or(last, place);
    let mut made = String::new();
    while (step > 0 && at < end) || (step < 0 && at > end) {
        if let Some(symbol) = usize::try_from(at).ok().and_then(|at| symbols.get(at)) {
            made.push(*symbol);
        }
        at += step;
    }
    made
}

/// What Python's JSON encoder writes between quotes.
fn json(text: &str, ascii: bool) -> String {
    let mut made = String::with_capacity(text.len() + 8);
    for symbol in text.chars() {
        match symbol {
            '"' => made.push_str("\\\""),
            '\\' => made.push_str("\\\\"),
            '\n' => made.push_str("\\n"),
            '\r' => made.push_str("\\r"),
            '\t' => made.push_str("\\t"),
            '\u{8}' => made.push_str("\\b"),
            '\u{c}' => made.push_str("\\f"),
            ' '..='~' => made.push(symbol),
            symbol if !ascii && symbol >= ' ' => made.push(symbol),
            symbol => {
                for unit in symbol.encode_utf16(&mut [0; 2]) {
                    // Writing to a String does not fail.
                    let _written = write!(made, "\\u{unit:04x}");
                }
            }
        }
    }
    made
}

/// What `escape` of `MarkupSafe` gives.
fn html(text: &str) -> String {
    let mut made = String::with_capacity(text.len() + 8);
    for symbol in text.chars() {
        match symbol {
            '&' => made.push_str("&amp;"),
            '<' => made.push_str("&lt;"),
            '>' => made.push_str("&gt;"),
            '\'' => made.push_str("&#39;"),
            '"' => made.push_str("&#34;"),
            symbol => made.push(symbol),
        }
    }
    made
}

/// Python's `urllib.parse.quote_from_bytes`.
fn quote(bytes: &[u8], safe: &[u8]) -> String {
    let mut made = String::with_capacity(bytes.len() + 8);
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"_.-~".contains(byte) || safe.contains(byte) {
            made.push(char::from(*byte));
        } else {
            // Writing to a String does not fail.
            let _written = write!(made, "%{byte:02X}");
        }
    }
    made
}
