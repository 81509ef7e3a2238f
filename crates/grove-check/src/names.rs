//! What names may look like, by what they become in Kubernetes and DNS.

/// The longest name that Kubernetes takes as a label's value or a namespace, and DNS between dots.
pub(crate) const LABEL: usize = 63;

/// The longest host name of DNS.
const HOST: usize = 253;

/// What is wrong with a name that becomes a label of DNS (RFC 1123), but for its length.
pub(crate) fn label(name: &str) -> Result<(), &'static str> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() {
        Err("is empty")
    } else if !name.bytes().all(fits) {
        Err("has other characters than lower-case letters, digits and dashes")
    } else if name.starts_with('-') || name.ends_with('-') {
        Err("starts or ends with a dash")
    } else {
        Ok(())
    }
}

/// What is wrong with a host name (RFC 1123), and how to mend it.
pub(crate) fn host(name: &str) -> Result<(), (&'static str, &'static str)> {
    let last = name.rsplit('.').next().unwrap_or_default();
    if name.is_empty() {
        Err(("is empty", "write a host name, such as `learn.uni.example`"))
    } else if name.contains("://") || name.contains(['/', ':', '@']) {
        Err((
            "is more than a host name",
            "leave out the scheme, the port and the path",
        ))
    } else if name.contains("{{") {
        Err((
            "is a template",
            "write it out; `config` can refer to it as `{{ LMS_HOST }}`",
        ))
    } else if !name.is_ascii() {
        Err((
            "has letters that DNS does not know",
            "write its `xn--` form",
        ))
    } else if name.len() > HOST {
        Err(("is longer than 253 characters", "choose a shorter one"))
    } else if name.starts_with("*.") {
        Err(("is a wildcard", "name each host"))
    } else if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Err(("has capital letters", "write it in lower case"))
    } else if !name.contains('.') {
        Err((
            "is not a full name",
            "write it with its domain, such as `learn.uni.example`",
        ))
    } else if name
        .split('.')
        .any(|part| part.len() > LABEL || label(part).is_err())
    {
        Err((
            "is not a host name",
            "between dots, it has 1 to 63 lower-case letters, digits and inner dashes",
        ))
    } else if last.bytes().all(|byte| byte.is_ascii_digit()) {
        Err((
            "is an address, not a name",
            "certificates are for names: write one",
        ))
    } else {
        Ok(())
    }
}

/// Whether a name can stand between the marks of a placeholder.
pub(crate) fn is_secret_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_lower_case_with_inner_dashes() {
        for good in ["uni", "u", "2u", "uni-next-2"] {
            assert_eq!(label(good), Ok(()), "{good}");
        }
        for bad in ["", "Uni", "uni_next", "-uni", "uni-", "uni.next", "ünï"] {
            assert!(label(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hosts_are_full_names() {
        let long = format!("{}.example", "a".repeat(64));
        let longest = format!("{}example", "abcdefgh.".repeat(30));
        for good in [
            "learn.uni.example",
            "a.b",
            "xn--mnchen-3ya.example",
            "1.uni.example",
        ] {
            assert_eq!(host(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", "is empty"),
            ("https://learn.uni.example", "is more than a host name"),
            ("learn.uni.example:443", "is more than a host name"),
            ("learn.{{ DOMAIN }}", "is a template"),
            ("münchen.example", "has letters that DNS does not know"),
            ("*.uni.example", "is a wildcard"),
            ("Learn.uni.example", "has capital letters"),
            ("learn", "is not a full name"),
            ("learn..example", "is not a host name"),
            ("learn.example.", "is not a host name"),
            ("my_site.example", "is not a host name"),
            ("10.0.0.1", "is an address, not a name"),
            (&long, "is not a host name"),
            (&longest, "is longer than 253 characters"),
        ] {
            assert_eq!(host(bad).unwrap_err().0, why, "{bad}");
        }
    }
}
