//! What has the form of a secret, whoever's it is.

use std::sync::LazyLock;

use regex::{
    Regex, RegexBuilder,
    bytes::{RegexSet, RegexSetBuilder},
};
use serde_json::Value;

use super::Found;
use crate::seal::object;

/// Forms that issuers gave their secrets so that they can be found, and what they are.
const FORMS: [(&str, &str); 13] = [
    (
        r"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----",
        "a private key",
    ),
    (r"AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]{40}", "an age identity"),
    (r"\b(AKIA|ASIA)[0-9A-Z]{16}\b", "an access key of AWS"),
    (
        r"\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{50}",
        "a token of GitHub",
    ),
    (
        r"\bgl(pat|ptt|dt|rt|cbt|soat|agent|ft)-[A-Za-z0-9_-]{20}",
        "a token of GitLab",
    ),
    (
        r"\bxox[abeoprs]-[0-9A-Za-z-]{10}|hooks\.slack\.com/services/T[0-9A-Z]{6}",
        "a token of Slack",
    ),
    (r"\b[rs]k_(live|test)_[0-9A-Za-z]{16}", "a key of Stripe"),
    (r"\bAIza[0-9A-Za-z_-]{35}", "a key of Google"),
    (
        r"\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16}",
        "a key of SendGrid",
    ),
    (r"\bdop_v1_[0-9a-f]{64}", "a token of DigitalOcean"),
    (r"\bhv[sb]\.[0-9A-Za-z_-]{24}", "a token of Vault"),
    (
        r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10}",
        "a JSON Web Token",
    ),
    (
        r#"://[^/\s:@'"{}$<>%]*:[^/\s@'"{}$<>%:]{6,}@[A-Za-z0-9]"#,
        "a URL with a password",
    ),
];

static SET: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    RegexSetBuilder::new(FORMS.map(|(pattern, _)| pattern))
        .unicode(false)
        .build()
        .ok()
});

/// A setting whose name speaks of a secret, and its value.
static SETTING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    RegexBuilder::new(
        r#"(?P<key>[A-Za-z0-9_.-]*(?i-u:password|passwd|secret|token|api_?key|access_?key|private_?key|credential|auth_?key|license_?key)[A-Za-z0-9_.-]*)["'\]]*[ \t]*[:=][ \t]*["']?(?P<value>[A-Za-z0-9+/=_.~-]{12,})"#,
    )
    .build()
    .ok()
});

/// Calls `add` for what has the form of a secret in a text.
pub(super) fn search(path: &[String], text: &str, add: &mut impl FnMut(usize, Found)) {
    if let Some(set) = SET.as_ref() {
        for index in &set.matches(text.as_bytes()) {
            if let Some((_, what)) = FORMS.get(index) {
                add(0, Found::Pattern(what));
            }
        }
    }
    if !is_file(path) {
        return;
    }
    for found in SETTING
        .iter()
        .flat_map(|setting| setting.captures_iter(text))
    {
        if let (Some(key), Some(value)) = (found.name("key"), found.name("value"))
            && is_random(value.as_str())
        {
            add(
                key.start(),
                Found::Pattern("a random value of a setting that speaks of a secret"),
            );
        }
    }
}

/// Calls `add` with the path of each variable of a container whose name speaks of a secret and
/// whose value is random text.
pub(super) fn search_variables(object: &Value, add: &mut impl FnMut(String, Found)) {
    for container in object::pod_spec(object)
        .into_iter()
        .flat_map(object::containers)
    {
        let text =
            |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let named = text(container, "name").unwrap_or_default();
        for variable in container
            .get("env")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let (Some(name), Some(value)) = (text(variable, "name"), text(variable, "value"))
            else {
                continue;
            };
            let setting = format!("{name}={value}");
            let found = SETTING
                .as_ref()
                .and_then(|setting_| setting_.captures(&setting));
            let random = found
                .and_then(|found| found.name("value"))
                .is_some_and(|value| is_random(value.as_str()));
            if random {
                add(
                    format!("containers {named}, env {name}"),
                    Found::Pattern("a random value of a variable that speaks of a secret"),
                );
            }
        }
    }
}

/// Whether a path leads into a file: there settings stand, elsewhere names of objects do.
fn is_file(path: &[String]) -> bool {
    let first = path.first().map(String::as_str);
    matches!(first, Some("data" | "stringData"))
        || matches!(path, [spec, template, data, ..] if spec == "spec" && template == "template" && data == "data")
        || path.iter().any(|key| key == "args" || key == "command")
}

/// Whether a text was drawn rather than written: letters and digits in disorder.
fn is_random(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    if digits < 2 || letters < 4 {
        return false;
    }
    // Paths, host names and expressions are written.
    if text.contains('/') && !text.ends_with('=') || text.matches('.').count() > 0 {
        return false;
    }
    // How often letters and digits take turns: written names put digits together.
    let class = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
    let turns = text
        .as_bytes()
        .windows(2)
        .filter(|pair| class(pair[0]) != class(pair[1]))
        .count();
    turns * 5 >= text.len() && bits(text) >= 3.0
}

/// Shannon's entropy of a text's bytes, in bits a byte.
fn bits(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX));
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / length;
            -share * share.log2()
        })
        .sum()
}
