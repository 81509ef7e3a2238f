//! The lines of a requirements file in which everything is pinned.
//!
//! A requirements file can do far more than name packages: read other files, name indexes, run
//! builds. Only lines of one form are taken from a lock or handed to uv:
//!
//! ```text
//! name==version ; marker \
//!     --hash=sha256:… \
//!     --hash=sha256:…
//! ```

use std::fmt::Write as _;

use crate::error::Error;

/// A pinned requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pin {
    /// The package, as `tutor-mfe`.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// On which machines it is needed; everywhere where this is empty.
    pub(crate) marker: String,
    /// What may be installed: SHA-256 digests of files.
    pub(crate) hashes: Vec<String>,
}

/// Reads the lines. Comments are passed over.
pub(crate) fn parse(text: &str) -> Result<Vec<Pin>, Error> {
    let mut pins: Vec<Pin> = Vec::new();
    for line in text.lines() {
        let bad = || Error::Line(line.chars().take(200).collect());
        let content = line.trim().trim_end_matches('\\').trim_end();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if let Some(hash) = content.strip_prefix("--hash=sha256:") {
            let pin = pins.last_mut().ok_or_else(bad)?;
            if !is_sha256(hash) {
                return Err(bad());
            }
            pin.hashes.push(hash.to_owned());
            continue;
        }
        let (requirement, marker) = content.split_once(';').unwrap_or((content, ""));
        let (name, version) = requirement.trim().split_once("==").ok_or_else(bad)?;
        if !is_name(name) || !is_version(version) || !marker.chars().all(is_of_marker) {
            return Err(bad());
        }
        pins.push(Pin {
            name: name.to_owned(),
            version: version.to_owned(),
            marker: marker.trim().to_owned(),
            hashes: Vec::new(),
        });
    }
    match pins.iter().find(|pin| pin.hashes.is_empty()) {
        Some(pin) => Err(Error::Line(format!("{}=={}", pin.name, pin.version))),
        None => Ok(pins),
    }
}

/// The lines of `pins`. `place` gives the URL from which a package is taken instead of the index,
/// with the one hash that it then has.
pub(crate) fn print(pins: &[Pin], place: impl Fn(&Pin) -> Option<(String, String)>) -> String {
    let mut text = String::new();
    for pin in pins {
        let (what, hashes) = match place(pin) {
            Some((url, hash)) => (format!("{} @ {url}", pin.name), vec![hash]),
            None => (format!("{}=={}", pin.name, pin.version), pin.hashes.clone()),
        };
        text.push_str(&what);
        if !pin.marker.is_empty() {
            let _ = write!(text, " ; {}", pin.marker);
        }
        for hash in hashes {
            let _ = write!(text, " \\\n    --hash=sha256:{hash}");
        }
        text.push('\n');
    }
    text
}

/// The one form of a package's name that two names of the same package share.
pub(crate) fn normal(name: &str) -> String {
    name.split(['-', '_', '.'])
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-")
        .to_ascii_lowercase()
}

/// Whether `text` can name a package.
pub(crate) fn is_name(text: &str) -> bool {
    let ends = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    ends(text.bytes().next())
        && ends(text.bytes().last())
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c))
}

/// Whether `text` can be one exact version.
pub(crate) fn is_version(text: &str) -> bool {
    text.bytes()
        .next()
        .is_some_and(|c| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b".!+-_".contains(&c))
}

/// Whether `text` is a SHA-256 digest in lower case.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && is_hex(text)
}

/// Whether `text` consists of hexadecimal digits in lower case.
pub(crate) fn is_hex(text: &str) -> bool {
    text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether `c` may stand in the condition after a semicolon.
fn is_of_marker(c: char) -> bool {
    c.is_ascii_alphanumeric() || " ._-'\"<>=!~(),".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn what_uv_writes_is_read_and_written_again() {
        let text = format!(
            "click==8.1.7 \\\n    --hash=sha256:{HASH} \\\n    --hash=sha256:{HASH}\n\
             tomli==2.0 ; python_full_version < '3.11' and os_name == \"nt\" \\\n    --hash=sha256:{HASH}\n"
        );
        let pins = parse(&format!("# a comment\n\n{text}")).unwrap();
        assert_eq!(pins.len(), 2);
        assert_eq!(print(&pins, |_| None), text);
        let placed = print(&pins[..1], |pin| {
            Some((format!("file:///{}.whl", pin.name), HASH.to_owned()))
        });
        assert_eq!(
            placed,
            format!("click @ file:///click.whl \\\n    --hash=sha256:{HASH}\n")
        );
    }

    #[test]
    fn lines_that_do_anything_else_are_refused() {
        for line in [
            "-r /etc/passwd",
            "--index-url https://evil.example",
            "click @ https://evil.example/click.whl",
            "-e git+https://evil.example",
            "click",
            "click>=8",
            "click==8 --index-url=x",
            "click==8 ; python_version > '3' @ x",
            "click==*",
            "==8",
            "--hash=sha512:00",
        ] {
            let text = format!("{line} \\\n    --hash=sha256:{HASH}\n");
            assert!(matches!(parse(&text), Err(Error::Line(_))), "{line}");
        }
        assert!(parse(&format!("--hash=sha256:{HASH}")).is_err());
        assert!(parse("click==8\n").is_err());
        assert!(parse(&format!("a==1 \\\n --hash=sha256:{}", HASH.to_uppercase())).is_err());
    }

    #[test]
    fn names_of_one_package_have_one_form() {
        assert_eq!(normal("Tutor_MFE"), "tutor-mfe");
        assert_eq!(normal("a.-_b"), "a-b");
        assert!(
            is_name("tutor-mfe")
                && is_name("a")
                && !is_name("")
                && !is_name("-x")
                && !is_name("a b")
        );
    }
}
