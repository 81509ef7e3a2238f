//! Telling a secret from other text.
//!
//! Two questions: does a piece of text have the form of a credential that some service issues
//! ([`credentials`]), and does the value of a key with such a name look like a secret
//! ([`is_secret`]). Both would rather miss an odd one than call out what is harmless: a client id,
//! a public key, a template that names a secret.

use grove_yaml::Span;

/// Credentials by how they start: the prefix, how many characters of a credential's alphabet
/// follow it at least, and what it is. None of the prefixes is a word of any language.
const PREFIXES: &[(&str, usize, &str)] = &[
    ("AGE-SECRET-KEY-1", 50, "an age identity"),
    ("AIza", 35, "a Google API key"),
    ("AKIA", 16, "an AWS access key"),
    ("ASIA", 16, "an AWS access key"),
    ("SG.", 60, "a SendGrid key"),
    ("dckr_pat_", 20, "a Docker Hub token"),
    ("dop_v1_", 60, "a DigitalOcean token"),
    ("ghp_", 36, "a GitHub token"),
    ("gho_", 36, "a GitHub token"),
    ("ghs_", 36, "a GitHub token"),
    ("github_pat_", 50, "a GitHub token"),
    ("glpat-", 20, "a GitLab token"),
    ("hvs.", 24, "a Vault token"),
    ("npm_", 36, "an npm token"),
    ("pypi-AgE", 50, "a PyPI token"),
    ("rk_live_", 20, "a Stripe key"),
    ("sk_live_", 20, "a Stripe key"),
    ("xoxb-", 20, "a Slack token"),
    ("xoxp-", 20, "a Slack token"),
];

/// What a PEM block of a private key starts with, before the words that name its kind.
const PEM: &str = "-----BEGIN ";

/// How a PEM block's first line ends where it is a private key.
const PEM_KEY: &str = "PRIVATE KEY-----";

/// Ends of key names whose value is a secret, in lower case.
const SECRET_NAMES: &[&str] = &["password", "passwd", "passphrase", "secret", "secret_key"];

/// Ends of key names whose value often is a secret; the value must look random too.
const LIKELY_NAMES: &[&str] = &["key", "token", "credentials", "auth"];

/// Ends of key names whose value is meant to be known.
const PUBLIC_NAMES: &[&str] = &[
    "access_key_id",
    "client_id",
    "key_id",
    "oauth2_key",
    "oauth2_key_dev",
    "oauth2_key_sso",
    "oauth2_key_sso_dev",
    "public_key",
    "public_signing_key",
    "publishable_key",
    "site_key",
];

/// Every credential that `text` holds, with what it is. Linear in the text.
pub(crate) fn credentials(text: &str) -> Vec<(Span, &'static str)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let inside_word = at > 0 && bytes.get(at - 1).is_some_and(|byte| is_token(*byte));
        let Some(length) = credential_at(bytes, at, inside_word) else {
            at += 1;
            continue;
        };
        let (length, what) = length;
        found.push((
            Span {
                start: at,
                end: at + length,
            },
            what,
        ));
        at += length;
    }
    found
}

/// How long the credential is that starts at this byte, and what it is.
fn credential_at(bytes: &[u8], at: usize, inside_word: bool) -> Option<(usize, &'static str)> {
    let rest = bytes.get(at..)?;
    match rest.first()? {
        b'-' => pem_length(rest).map(|length| (length, "a private key")),
        b':' => password_in_url(rest).map(|length| (length, "a URL with a password")),
        b'A' | b'S' | b'd' | b'g' | b'h' | b'n' | b'p' | b'r' | b's' | b'x' if !inside_word => {
            PREFIXES.iter().find_map(|(prefix, least, what)| {
                let behind = rest.strip_prefix(prefix.as_bytes())?;
                let length = behind.iter().take_while(|byte| is_token(**byte)).count();
                (length >= *least).then_some((prefix.len() + length, *what))
            })
        }
        _ => None,
    }
}

/// Letters of which tokens are made.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The length of a PEM block that holds a private key, from its first hyphen.
fn pem_length(rest: &[u8]) -> Option<usize> {
    let behind = rest.strip_prefix(PEM.as_bytes())?;
    // `ENCRYPTED PRIVATE KEY` needs its passphrase; it is no plain secret, but no place for one.
    let line = behind.get(..behind.len().min(40))?;
    line.windows(PEM_KEY.len())
        .any(|window| window == PEM_KEY.as_bytes())
        .then(|| {
            let end = b"-----END ";
            let body = rest
                .windows(end.len())
                .position(|window| window == end)
                .unwrap_or(rest.len());
            let tail = rest.get(body..).unwrap_or_default();
            body + tail
                .iter()
                .position(|byte| *byte == b'\n')
                .unwrap_or(tail.len())
        })
}

/// The length of `://user:password@` from its first colon, where the password is literal.
fn password_in_url(rest: &[u8]) -> Option<usize> {
    let behind = rest.strip_prefix(b"://")?;
    let authority = behind
        .get(..behind.len().min(300))?
        .iter()
        .take_while(|byte| byte.is_ascii_graphic() && !b"/\"'<>`,".contains(byte))
        .count();
    let authority = behind.get(..authority)?;
    let at = authority.iter().rposition(|byte| *byte == b'@')?;
    let colon = authority.iter().position(|byte| *byte == b':')?;
    let password = authority.get(colon + 1..at)?;
    // `{{ … }}`, `${…}`, `{…}`, `$VAR`, `%(…)s`, `***` and `<…>` stand for one.
    let stands_for_one = password
        .iter()
        .any(|byte| matches!(byte, b'{' | b'}' | b'$' | b'%' | b'*' | b'(' | b'['));
    let is_word = matches!(
        password,
        b"password" | b"pass" | b"secret" | b"xxx" | b"..."
    );
    (!password.is_empty() && !stands_for_one && !is_word).then_some(3 + at + 1)
}

/// Whether the value `text` of a key named `name` looks like a secret.
pub(crate) fn is_secret(name: &str, text: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let ends = |ends: &[&str]| {
        ends.iter().any(|end| {
            name.strip_suffix(end)
                .is_some_and(|before| before.is_empty() || before.ends_with(['_', '-', '.']))
        })
    };
    if ends(PUBLIC_NAMES) || !is_literal(text) {
        return false;
    }
    if ends(SECRET_NAMES) {
        return text.chars().count() >= 4;
    }
    ends(LIKELY_NAMES) && looks_random(text)
}

/// Whether a text is a value of its own: not empty, not a template or variable that names one, no
/// path, no sentence.
fn is_literal(text: &str) -> bool {
    let names_another = text.contains("{{") || text.contains("${") || text.starts_with('$');
    let is_path = text.starts_with(['/', '.', '~']);
    let is_words = text.split_whitespace().count() > 1;
    !text.is_empty() && !names_another && !is_path && !is_words
}

/// Whether a text looks drawn at random: long, hardly a letter twice, and digits among the letters
/// again and again, as words and years do not have them.
fn looks_random(text: &str) -> bool {
    let is_url = text.contains("://");
    let mixed = text
        .as_bytes()
        .windows(2)
        .filter(|pair| match pair {
            [one, other] => {
                (one.is_ascii_digit() && other.is_ascii_alphabetic())
                    || (one.is_ascii_alphabetic() && other.is_ascii_digit())
            }
            _ => false,
        })
        .count();
    text.len() >= 16 && !is_url && mixed >= 3 && entropy(text) >= 3.0
}

/// Shannon's entropy of a text's bytes, in bits a byte.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let all = f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX));
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / all;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, &str)> {
        credentials(text)
            .into_iter()
            .map(|(span, what)| (&text[span.start..span.end], what))
            .collect()
    }

    #[test]
    fn credentials_are_known_by_their_form() {
        // Put together here, so that no scanner of this repository takes them for real ones.
        let token = format!("ghp{}{}", "_", "a1B2".repeat(9));
        assert_eq!(
            found(&format!("x {token}\n")),
            [(token.as_str(), "a GitHub token")]
        );
        assert_eq!(found(&format!("not-{token}")), []);
        assert_eq!(found("ghp_short"), []);
        let key = format!(
            "-----BEGIN RSA {} KEY-----\nMII\n-----END RSA PRIVATE KEY-----",
            "PRIVATE"
        );
        assert_eq!(
            found(&format!("K: |\n{key}\nend")),
            [(key.as_str(), "a private key")]
        );
        assert_eq!(
            found("-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----"),
            []
        );
    }

    #[test]
    fn a_password_in_a_url_is_found_unless_it_stands_for_one() {
        assert_eq!(
            found("mongodb://app:hunter2@db.example/x"),
            [("://app:hunter2@", "a URL with a password")]
        );
        for harmless in [
            "https://learn.example/a:b@c",
            "redis://:{{ REDIS_PASSWORD }}@redis",
            "mysql://root:${PASSWORD}@h",
            "git@example.org:a/b",
            "ssh://git@example.org:22/x",
            "https://user:password@example.org",
        ] {
            assert_eq!(found(harmless), [], "{harmless}");
        }
    }

    #[test]
    fn values_are_secrets_by_name_and_look() {
        for (name, value) in [
            ("SMTP_PASSWORD", "hunter2"),
            ("password", "changeme"),
            ("SOCIAL_AUTH_SAML_SP_SECRET", "x9fk2"),
            ("SEGMENT_KEY", "Zk3jH8sd92LqPw1x"),
            ("API_TOKEN", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"),
        ] {
            assert!(is_secret(name, value), "{name}");
        }
        for (name, value) in [
            ("CMS_OAUTH2_KEY", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"),
            ("RECAPTCHA_SITE_KEY", "6LdZk3jH8sd92LqPw1xAAAAA"),
            ("CMS_OAUTH2_KEY_SSO", "cms-sso"),
            ("SMTP_PASSWORD", "{{ MAIL_PASSWORD }}"),
            ("SMTP_PASSWORD", ""),
            ("CACHE_KEY", "course-structure-2024"),
            ("PASSWORD_RESET_TEXT", "x9fk2Zk3jH8sd92LqPw1x"),
            ("HOTKEY", "Zk3jH8sd92LqPw1x"),
            ("JWT_AUTH", "https://learn.example/oauth2/4"),
            ("TOKEN_FILE_KEY", "/var/run/secrets/0a1b2c3d4e5f"),
        ] {
            assert!(!is_secret(name, value), "{name} {value}");
        }
    }
}
