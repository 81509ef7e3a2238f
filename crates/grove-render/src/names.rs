//! Which names Kubernetes takes.

use crate::Error;

/// Whether `text` is a DNS label: what a namespace or a service may be called.
pub(crate) fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Whether `text` is a DNS subdomain: what most objects may be called, and a host name.
pub(crate) fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

/// Whether `text` may be the value of a label.
pub(crate) fn is_label_value(text: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 63
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && edge(text.bytes().next())
        && edge(text.bytes().last())
}

/// The error for a host or domain that is no host name.
pub(crate) fn bad_host(host: &str) -> Error {
    Error::new(
        format!("{host:?} is not a host name in lower case"),
        "letters, digits, `-` and `.`, as in learn.uni.example",
    )
}

#[cfg(test)]
mod tests {
    use super::{is_label_value, is_subdomain};

    #[test]
    fn names_are_told_apart_from_what_only_looks_like_them() {
        for good in ["a", "a.b", "learn.uni.example", "x-1.y", &"a".repeat(63)] {
            assert!(is_subdomain(good), "{good}");
        }
        for bad in [
            "",
            ".",
            "a.",
            "-a",
            "a-",
            "A",
            "a_b",
            "a/b",
            "..",
            "ü",
            &"a".repeat(64),
        ] {
            assert!(!is_subdomain(bad), "{bad}");
        }
    }

    #[test]
    fn label_values_may_be_empty_but_not_open_ended() {
        for good in ["", "a", "A.b_c-1"] {
            assert!(is_label_value(good), "{good}");
        }
        for bad in ["-a", "a.", "a b", "a/b", "ü", &"a".repeat(64)] {
            assert!(!is_label_value(bad), "{bad}");
        }
    }
}
