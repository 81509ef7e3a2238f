//! What images of an instance's own are built with.

use std::collections::BTreeMap;

use super::Requirement;

/// What the image `openedx` has more than Tutor's own, and how a builder gets it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// `packages`: Python packages, by name.
    pub packages: BTreeMap<String, Requirement>,
    /// `build.index`: an index of packages that is asked before `PyPI`.
    pub index: Option<String>,
    /// `build.credentials`: host → who asks there.
    pub credentials: BTreeMap<String, Login>,
}

/// Who asks a host for what is not public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The name of the secret that has the password.
    pub password: String,
}

/// Where a theme comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThemeSource {
    /// The repository.
    pub url: String,
    /// The commit, 40 hexadecimal digits.
    pub rev: String,
    /// The theme's directory there; the whole where it is empty.
    pub path: String,
}

impl Build {
    /// Whether a text is an address with `https`, of signs that mean nothing to a shell or a Dockerfile.
    pub fn is_address(text: &str) -> bool {
        let rest = text.strip_prefix("https://").unwrap_or_default();
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_sign = |c: char| c.is_ascii_alphanumeric() || "-_.~/+%".contains(c);
        Self::is_host(host) && path.chars().all(is_sign)
    }

    /// Whether a text is a host, perhaps with a port.
    pub fn is_host(text: &str) -> bool {
        let (name, port) = text.split_once(':').unwrap_or((text, "443"));
        let is_sign = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        is_name && name.chars().all(is_sign) && port.parse::<u16>().is_ok()
    }

    /// Whether a text names a package, as
    /// <https://packaging.python.org/en/latest/specifications/name-normalization/> has it; with extras in
    /// brackets.
    pub fn is_package(text: &str) -> bool {
        let (name, extras) = match text.split_once('[') {
            Some((name, extras)) => (name, extras.strip_suffix(']')),
            None => (text, Some("x")),
        };
        let is_sign = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_name = |text: &str| {
            let ends = [text.chars().next(), text.chars().last()];
            let is_fine = |end: Option<char>| end.is_some_and(|c| c.is_ascii_alphanumeric());
            ends.into_iter().all(is_fine) && text.chars().all(is_sign)
        };
        is_name(name) && extras.is_some_and(|extras| extras.split(',').all(is_name))
    }

    /// Whether a text is one exact version
    /// (<https://packaging.python.org/en/latest/specifications/version-specifiers/>).
    pub fn is_version(text: &str) -> bool {
        let is_sign = |c: char| c.is_ascii_alphanumeric() || ".!+-_".contains(c);
        text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_sign)
    }

    /// Whether a text is a commit: 40 hexadecimal digits.
    pub fn is_commit(text: &str) -> bool {
        text.len() == 40 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
    }

    /// Whether a text is a directory below another.
    pub fn is_path(text: &str) -> bool {
        let is_sign = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_part = |part: &str| {
            !part.is_empty() && !part.starts_with(['.', '-']) && part.chars().all(is_sign)
        };
        text.split('/').all(is_part)
    }
}

#[cfg(test)]
mod tests {
    use super::Build;

    /// Signs by which a text would be more than a word to a shell or a Dockerfile.
    const HOSTILE: [&str; 12] = [
        "'", "\"", "`", "$(x)", "${X}", "\\", " ", "\n", ";", "&&", "|", "#",
    ];

    #[test]
    fn words_of_a_build_mean_nothing_to_a_shell() {
        const WHOLE: &str = "0123456789abcdef0123456789abcdef01234567";
        type Kind = (
            fn(&str) -> bool,
            &'static [&'static str],
            &'static [&'static str],
        );
        let kinds: [Kind; 6] = [
            (
                Build::is_address,
                &["https://a.example", "https://a.example:8443/x/y_z-1.git"],
                &[
                    "",
                    "http://a.example",
                    "https://",
                    "https://u:p@a.example",
                    "https:///x",
                    "git@a:b",
                ],
            ),
            (
                Build::is_host,
                &["a.example", "10.0.0.1:8080", "localhost"],
                &["", "-a", "a.example:x", "a.example:99999", ".a"],
            ),
            (
                Build::is_package,
                &["a", "Shop-XBlock", "zope.interface", "a_b", "a[x,y-z]"],
                &["", "-a", "a-", "a[", "a[]", "a[x", "a==1", "--index"],
            ),
            (
                Build::is_version,
                &["1.0.2", "2!1.0", "1.0+local.7", "1.0.dev3"],
                &["", ">=1.0", "1.*", "==1", "latest", "1,2"],
            ),
            (
                Build::is_commit,
                &[WHOLE],
                &[
                    "",
                    "main",
                    "0123456789abcdef0123456789abcdef0123456",
                    "0123456789ABCDEF0123456789ABCDEF01234567",
                ],
            ),
            (
                Build::is_path,
                &["a", "a/b-c/d.e"],
                &["", "/a", "a/", "a//b", "../a", "a/..", ".git", "-a"],
            ),
        ];
        for (is_fine, good, bad) in kinds {
            for text in good {
                assert!(is_fine(text), "{text}");
                for hostile in HOSTILE {
                    assert!(!is_fine(&format!("{text}{hostile}")), "{text}{hostile}");
                    assert!(!is_fine(&format!("{hostile}{text}")), "{hostile}{text}");
                }
            }
            for text in bad {
                assert!(!is_fine(text), "{text}");
            }
        }
    }
}
