//! SOPS' own section of a file.

use grove_yaml::{Node, Span};
use regex::bytes::{Regex, RegexBuilder};

use super::Error;

/// The version of SOPS whose format is written.
pub(super) const VERSION: &str = "3.13.3";

/// What the `sops` section says.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    /// The data key for each age recipient.
    pub(super) age: Vec<AgeEntry>,
    /// Why only the `sops` program can open the file; none where this crate can.
    pub(super) foreign: Option<String>,
    /// When a value was last changed, as the file says it.
    pub(super) modified: String,
    /// Where that stands.
    pub(super) modified_span: Span,
    /// The encrypted authentication code.
    pub(super) mac: String,
    /// Where that stands.
    pub(super) mac_span: Span,
    /// Which values are encrypted.
    pub(super) rule: Rule,
    /// Whether the authentication code covers only encrypted values.
    pub(super) mac_only_encrypted: bool,
}

/// The data key, encrypted to one recipient.
#[derive(Clone, Debug)]
pub(super) struct AgeEntry {
    /// `age1…`
    pub(super) recipient: String,
    /// Its ASCII armour.
    pub(super) armored: String,
}

/// Which values of a file are encrypted.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    /// All but those below a key that ends so.
    UnencryptedSuffix(String),
    /// Only those below a key that ends so.
    EncryptedSuffix(String),
    /// All but those below a key that matches.
    UnencryptedRegex(Regex),
    /// Only those below a key that matches.
    EncryptedRegex(Regex),
}

impl Default for Rule {
    fn default() -> Self {
        Self::UnencryptedSuffix("_unencrypted".to_owned())
    }
}

impl Rule {
    /// The rule that `key: text` of the `sops` section, or of a creation rule, makes; none where
    /// the key is no rule.
    pub(super) fn read(key: &str, text: &str) -> Option<Result<Self, String>> {
        // SOPS uses RE2, whose classes are ASCII unless told otherwise.
        let regex = || {
            RegexBuilder::new(text)
                .unicode(false)
                .build()
                .map_err(|error| format!("`{key}`: {error}"))
        };
        match key {
            "unencrypted_suffix" => Some(Ok(Self::UnencryptedSuffix(text.to_owned()))),
            "encrypted_suffix" => Some(Ok(Self::EncryptedSuffix(text.to_owned()))),
            "unencrypted_regex" => Some(regex().map(Self::UnencryptedRegex)),
            "encrypted_regex" => Some(regex().map(Self::EncryptedRegex)),
            _ => None,
        }
    }

    /// The key and text of the `sops` section that say this rule.
    pub(super) fn to_entry(&self) -> (&'static str, String) {
        match self {
            Self::UnencryptedSuffix(suffix) => ("unencrypted_suffix", suffix.clone()),
            Self::EncryptedSuffix(suffix) => ("encrypted_suffix", suffix.clone()),
            Self::UnencryptedRegex(regex) => ("unencrypted_regex", regex.as_str().to_owned()),
            Self::EncryptedRegex(regex) => ("encrypted_regex", regex.as_str().to_owned()),
        }
    }

    /// Whether the value at the end of `path` is encrypted.
    pub(super) fn encrypts(&self, path: &[String]) -> bool {
        match self {
            Self::UnencryptedSuffix(suffix) => {
                !path.iter().any(|key| key.ends_with(suffix.as_str()))
            }
            Self::EncryptedSuffix(suffix) => path.iter().any(|key| key.ends_with(suffix.as_str())),
            Self::UnencryptedRegex(regex) => !path.iter().any(|key| regex.is_match(key.as_bytes())),
            Self::EncryptedRegex(regex) => path.iter().any(|key| regex.is_match(key.as_bytes())),
        }
    }
}

/// Lists of recipients that only the `sops` program can use, by their key in the section.
const FOREIGN: [&str; 6] = ["pgp", "kms", "gcp_kms", "azure_kv", "hc_vault", "hckms"];

impl Metadata {
    /// Reads the section of `file`.
    pub(super) fn read(file: &str, section: &Node) -> Result<Self, Error> {
        let damaged = |detail: &str| Error::Section {
            file: file.to_owned(),
            detail: detail.to_owned(),
        };
        let scalar = |key: &str| {
            let node = section
                .get(key)
                .ok_or_else(|| damaged(&format!("`{key}` is missing")))?;
            let text = node
                .as_str()
                .ok_or_else(|| damaged(&format!("`{key}` is not text")))?;
            Ok::<_, Error>((text.to_owned(), node.span))
        };
        let (modified, modified_span) = scalar("lastmodified")?;
        let (mac, mac_span) = scalar("mac")?;
        let mut rule = None;
        for entry in section.entries() {
            let Some(text) = entry.value.as_str().filter(|text| !text.is_empty()) else {
                continue;
            };
            if let Some(read) = Rule::read(&entry.key, text)
                && rule
                    .replace(read.map_err(|error| damaged(&error))?)
                    .is_some()
            {
                return Err(damaged("it has two rules for what is encrypted"));
            }
        }
        let age =
            age_entries(section).ok_or_else(|| damaged("`age` is not a list of recipients"))?;
        Ok(Self {
            foreign: foreign(section, &age),
            age,
            modified,
            modified_span,
            mac,
            mac_span,
            rule: rule.unwrap_or_default(),
            mac_only_encrypted: section
                .get("mac_only_encrypted")
                .is_some_and(|node| node.value == grove_yaml::Value::Bool(true)),
        })
    }
}

fn age_entries(section: &Node) -> Option<Vec<AgeEntry>> {
    let Some(node) = section.get("age") else {
        return Some(Vec::new());
    };
    let nodes = match &node.value {
        grove_yaml::Value::List(nodes) => nodes,
        grove_yaml::Value::Null => return Some(Vec::new()),
        _ => return None,
    };
    nodes
        .iter()
        .map(|node| {
            Some(AgeEntry {
                recipient: node.get("recipient")?.as_str()?.to_owned(),
                armored: node.get("enc")?.as_str()?.to_owned(),
            })
        })
        .collect()
}

fn foreign(section: &Node, age: &[AgeEntry]) -> Option<String> {
    let filled = |key: &str| match section.get(key).map(|node| &node.value) {
        Some(grove_yaml::Value::List(nodes)) => !nodes.is_empty(),
        Some(grove_yaml::Value::String(text)) => !text.is_empty(),
        _ => false,
    };
    if filled("key_groups") {
        return Some("its data key is divided among key groups".to_owned());
    }
    for key in ["encrypted_comment_regex", "unencrypted_comment_regex"] {
        if filled(key) {
            return Some(format!("it has `{key}`"));
        }
    }
    if age
        .iter()
        .any(|entry| super::age_key::recipient(&entry.recipient).is_ok())
    {
        return None;
    }
    let mut kinds: Vec<_> = FOREIGN.into_iter().filter(|key| filled(key)).collect();
    if !age.is_empty() {
        kinds.push("age with SSH, plugin or post-quantum keys");
    }
    Some(match kinds.as_slice() {
        [] => "it has no recipients".to_owned(),
        kinds => format!("its recipients are {}", kinds.join(", ")),
    })
}
