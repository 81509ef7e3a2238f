//! The name of a container image, taken apart.

/// An image reference: `registry/name:tag@digest`, tag and digest each optional.
///
/// The grammar is that of the distribution project's `reference` package, but for digests: only
/// SHA-256 is taken, which is all that registries and container engines use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageName<'a> {
    /// Registry and repository: `registry.example.org:5000/openedx/lms`.
    pub name: &'a str,
    /// The tag, which its owner can move.
    pub tag: Option<&'a str>,
    /// `sha256:` and 64 lower-case hexadecimal digits, which name the bytes.
    pub digest: Option<&'a str>,
}

/// Why a text is no image reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The part before tag and digest.
    #[error(
        "the image's name has other characters than lower-case letters, digits and inner `.`, `_`, `-` and `/`"
    )]
    Name,
    /// The part behind the colon.
    #[error("the image's tag is not 1 to 128 letters, digits, `_`, `.` and `-`")]
    Tag,
    /// The part behind the `@`.
    #[error("the image's digest is not `sha256:` and 64 lower-case hexadecimal digits")]
    Digest,
}

impl<'a> ImageName<'a> {
    /// Takes a reference apart.
    pub fn parse(reference: &'a str) -> Result<Self, ImageError> {
        let (rest, digest) = match reference.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (reference, None),
        };
        // A colon before the last slash is the registry's port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if !is_name(name) {
            return Err(ImageError::Name);
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(ImageError::Tag);
        }
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(ImageError::Digest);
        }
        Ok(Self { name, tag, digest })
    }
}

fn is_name(name: &str) -> bool {
    let (registry, path) = match name.split_once('/') {
        // A first part is a registry where it looks like a host.
        Some((first, path)) if first.contains(['.', ':']) || first == "localhost" => {
            (Some(first), path)
        }
        _ => (None, name),
    };
    let is_registry = |registry: &str| {
        let (host, port) = registry.split_once(':').unwrap_or((registry, "0"));
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        !host.is_empty()
            && host.bytes().all(letter)
            && !port.is_empty()
            && port.bytes().all(|byte| byte.is_ascii_digit())
    };
    name.len() <= 255 && registry.is_none_or(is_registry) && path.split('/').all(is_path_part)
}

fn is_path_part(part: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    part.bytes().next().is_some_and(word)
        && part.bytes().last().is_some_and(word)
        && part
            .bytes()
            .all(|byte| word(byte) || matches!(byte, b'.' | b'_' | b'-'))
}

fn is_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && !tag.starts_with(['.', '-'])
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

fn is_digest(digest: &str) -> bool {
    digest.strip_prefix("sha256:").is_some_and(|digits| {
        digits.len() == 64
            && digits
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let tagged = format!("registry.example.org:5000/openedx/lms:22.0.3@{digest}");
        assert_eq!(
            ImageName::parse(&tagged),
            Ok(ImageName {
                name: "registry.example.org:5000/openedx/lms",
                tag: Some("22.0.3"),
                digest: Some(&digest),
            })
        );
        for (reference, name, tag) in [
            ("mysql:8.4", "mysql", Some("8.4")),
            (
                "docker.io/overhangio/openedx",
                "docker.io/overhangio/openedx",
                None,
            ),
            ("localhost:5000/a", "localhost:5000/a", None),
            ("a/b_c--d:T_1", "a/b_c--d", Some("T_1")),
        ] {
            let digest = None;
            assert_eq!(
                ImageName::parse(reference),
                Ok(ImageName { name, tag, digest })
            );
        }
    }

    #[test]
    fn what_no_registry_takes_is_refused() {
        for bad in [
            "",
            "A/b",
            "a//b",
            "a b",
            "-a",
            "a/",
            "https://a.example/b",
            "a.example:x/b",
            "{{ X }}",
        ] {
            assert_eq!(ImageName::parse(bad), Err(ImageError::Name), "{bad}");
        }
        for bad in ["a:", "a:.b", "a:b c"] {
            assert_eq!(ImageName::parse(bad), Err(ImageError::Tag), "{bad}");
        }
        for bad in ["a@", "a@sha256:12", "a@md5:0", "a@b@c"] {
            assert_eq!(ImageName::parse(bad), Err(ImageError::Digest), "{bad}");
        }
    }
}
