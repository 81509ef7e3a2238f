//! `.sops.yaml`: to whom a new file is encrypted.

use grove_yaml::{Limits, Node, Value};
use regex::bytes::RegexBuilder;

use super::{Error, metadata::Rule};

/// How a new file is to be encrypted.
#[derive(Clone, Debug)]
pub struct Creation {
    /// The age recipients.
    pub recipients: Vec<String>,
    pub(super) rule: Rule,
    pub(super) mac_only_encrypted: bool,
    pub(super) foreign: Option<String>,
}

impl Creation {
    /// Encryption of every value to these age recipients.
    pub fn to(recipients: Vec<String>) -> Self {
        Self {
            recipients,
            rule: Rule::default(),
            mac_only_encrypted: false,
            foreign: None,
        }
    }

    /// Why only the `sops` program can create the file; none where [`super::create`] can.
    pub fn needs_program(&self) -> Option<&str> {
        self.foreign.as_deref()
    }
}

/// Kinds of recipients that only the `sops` program can use, as a creation rule and as a key group
/// of one name them.
const FOREIGN: [&str; 9] = [
    "pgp",
    "kms",
    "gcp_kms",
    "azure_keyvault",
    "hc_vault_transit_uri",
    "hc_vault",
    "hckms",
    "encrypted_comment_regex",
    "unencrypted_comment_regex",
];

/// The creation rule of `.sops.yaml` for the file at `path`, which is relative to the directory of
/// `.sops.yaml`, with `/`. As in `sops`, the first rule whose `path_regex` is found in the path, or
/// that has none, decides alone. `name` names the configuration in errors.
pub fn creation_for(name: &str, text: &str, path: &str) -> Result<Creation, Error> {
    let wrong = |detail: String| Error::Rules {
        file: name.to_owned(),
        detail,
    };
    let parsed = grove_yaml::parse(text.as_bytes(), Limits::default());
    if let Some(problem) = parsed.problems.first() {
        return Err(wrong(format!(
            "not a readable YAML file: {}",
            problem.message
        )));
    }
    let no_rule = || Error::NoRule {
        file: name.to_owned(),
        target: path.to_owned(),
    };
    let root = parsed.root.ok_or_else(no_rule)?;
    let rules = match root.get("creation_rules").map(|node| &node.value) {
        Some(Value::List(rules)) => rules,
        Some(Value::Null) | None => return Err(no_rule()),
        Some(_) => return Err(wrong("`creation_rules` is not a list".to_owned())),
    };
    for rule in rules {
        let matches = match rule.get("path_regex").and_then(Node::as_str) {
            None | Some("") => true,
            Some(pattern) => RegexBuilder::new(pattern)
                .unicode(false)
                .build()
                .map_err(|error| wrong(format!("`path_regex` {pattern:?}: {error}")))?
                .is_match(path.as_bytes()),
        };
        if matches {
            let creation = read(rule).map_err(wrong)?;
            return if creation.recipients.is_empty() && creation.foreign.is_none() {
                Err(no_rule())
            } else {
                Ok(creation)
            };
        }
    }
    Err(no_rule())
}

fn read(node: &Node) -> Result<Creation, String> {
    let mut creation = Creation::to(Vec::new());
    let mut rules = 0;
    for entry in node.entries() {
        let Some(text) = entry.value.as_str().filter(|text| !text.is_empty()) else {
            continue;
        };
        if let Some(rule) = Rule::read(&entry.key, text) {
            creation.rule = rule?;
            rules += 1;
        }
    }
    if rules > 1 {
        return Err("a creation rule has more than one rule for what is encrypted".to_owned());
    }
    creation.mac_only_encrypted = node
        .get("mac_only_encrypted")
        .is_some_and(|node| node.value == Value::Bool(true));
    match node.get("key_groups").map(|node| &node.value) {
        Some(Value::List(groups)) if !groups.is_empty() => {
            if groups.len() > 1 {
                creation.foreign = Some("the data key is divided among key groups".to_owned());
            }
            for group in groups {
                add_recipients(&mut creation, group, 0)?;
            }
        }
        _ => add_recipients(&mut creation, node, 0)?,
    }
    let mut seen = std::collections::BTreeSet::new();
    creation
        .recipients
        .retain(|recipient| seen.insert(recipient.clone()));
    Ok(creation)
}

fn add_recipients(creation: &mut Creation, node: &Node, depth: usize) -> Result<(), String> {
    if let Some(Value::List(merged)) = node.get("merge").map(|node| &node.value)
        && depth < 8
    {
        for group in merged {
            add_recipients(creation, group, depth + 1)?;
        }
    }
    for kind in FOREIGN {
        let empty = match node.get(kind).map(|node| &node.value) {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.is_empty(),
            Some(Value::List(nodes)) => nodes.is_empty(),
            Some(_) => false,
        };
        if !empty {
            creation.foreign = Some(format!("its creation rule has `{kind}`"));
        }
    }
    let listed = match node.get("age").map(|node| &node.value) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::List(nodes)) => nodes
            .iter()
            .map(|node| node.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or("`age` holds something that is not text")?,
        Some(_) => return Err("`age` is neither text nor a list".to_owned()),
    };
    for text in listed {
        for recipient in text
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
        {
            if super::age_key::recipient(recipient).is_err() {
                creation.foreign =
                    Some("it has age recipients of other kinds than X25519".to_owned());
            }
            creation.recipients.push(recipient.to_owned());
        }
    }
    Ok(())
}
