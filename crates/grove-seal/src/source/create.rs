//! A new SOPS file.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, json};

use super::{
    Creation, Error, age_key,
    cipher::{self, DataKey},
    file::{context, mac_over, time},
    metadata::VERSION,
};
use crate::Secret;

/// Values of a new file.
#[derive(Clone, Debug)]
pub enum Tree {
    /// One value.
    Value(Secret),
    /// A map of them; may be empty.
    Map(BTreeMap<String, Tree>),
}

impl Default for Tree {
    fn default() -> Self {
        Self::Map(BTreeMap::new())
    }
}

impl Tree {
    /// Puts `value` at `path`, making maps on the way; what stood there gives way.
    pub fn insert(&mut self, path: &[&str], value: Tree) {
        let Some((first, rest)) = path.split_first() else {
            *self = value;
            return;
        };
        if !matches!(self, Self::Map(_)) {
            *self = Self::default();
        }
        if let Self::Map(map) = self {
            map.entry((*first).to_owned())
                .or_default()
                .insert(rest, value);
        }
    }
}

/// Writes a new file that everyone whom `creation` names can open. `name` names it in errors.
///
/// Values that the creation rule leaves plain are refused: what comes here is secret.
pub fn create(
    name: &str,
    values: &Tree,
    creation: &Creation,
    now: Timestamp,
) -> Result<String, Error> {
    if let Some(reason) = creation.needs_program() {
        return Err(Error::NeedsProgram {
            file: name.to_owned(),
            reason: reason.to_owned(),
        });
    }
    let failed = |detail: String| Error::Encryption {
        file: name.to_owned(),
        detail,
    };
    let key = DataKey::random();
    let mut writer = Writer {
        name,
        key: &key,
        creation,
        plain: Vec::new(),
        path: Vec::new(),
    };
    let encrypted = writer.write(values)?;
    let code = mac_over(
        writer.plain.iter().map(Secret::expose),
        creation.mac_only_encrypted,
    );

    let modified = time(now);
    let mac =
        cipher::encrypt(&key, &code, &modified).ok_or_else(|| failed("the MAC".to_owned()))?;
    let mut recipients = Vec::new();
    for text in &creation.recipients {
        let armored = age_key::seal(&key, &age_key::recipient(text)?).map_err(failed)?;
        recipients.push(json!({ "recipient": text, "enc": armored }));
    }
    let mut section = Map::new();
    section.insert("age".to_owned(), recipients.into());
    section.insert("lastmodified".to_owned(), modified.into());
    section.insert("mac".to_owned(), mac.into());
    let (rule, text) = creation.rule.to_entry();
    section.insert(rule.to_owned(), text.into());
    if creation.mac_only_encrypted {
        section.insert("mac_only_encrypted".to_owned(), true.into());
    }
    section.insert("version".to_owned(), VERSION.into());

    // The section stands last, as `sops` itself writes it.
    let head = match &encrypted {
        serde_json::Value::Object(map) if map.is_empty() => String::new(),
        values => grove_yaml::emit(values),
    };
    Ok(head + &grove_yaml::emit(&json!({ "sops": section })))
}

struct Writer<'a> {
    name: &'a str,
    key: &'a DataKey,
    creation: &'a Creation,
    plain: Vec<Secret>,
    path: Vec<String>,
}

impl Writer<'_> {
    /// Encrypts in the order in which the emitter writes maps: sorted, as they are here.
    fn write(&mut self, tree: &Tree) -> Result<serde_json::Value, Error> {
        match tree {
            Tree::Map(map) => {
                let mut written = Map::new();
                for (key, tree) in map {
                    self.path.push(key.clone());
                    written.insert(key.clone(), self.write(tree)?);
                    self.path.pop();
                }
                Ok(written.into())
            }
            Tree::Value(value) => {
                if self.path.first().is_some_and(|key| key == "sops") {
                    return Err(self.error("SOPS keeps its own section there"));
                }
                if !self.creation.rule.encrypts(&self.path) {
                    return Err(
                        self.error("the rules of `.sops.yaml` would leave it in plain text")
                    );
                }
                let text = cipher::encrypt(self.key, value.expose(), &context(&self.path))
                    .ok_or_else(|| self.error("the value is too long"))?;
                self.plain.push(value.clone());
                Ok(text.into())
            }
        }
    }

    fn error(&self, detail: &str) -> Error {
        Error::Edit {
            file: self.name.to_owned(),
            key: self.path.join("."),
            detail: detail.to_owned(),
        }
    }
}
