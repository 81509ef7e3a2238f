//! One SOPS file: opened, and changed one value at a time.

use grove_yaml::{Limits, Node, Value};
use jiff::Timestamp;
use sha2::{Digest, Sha512};

use super::{
    Error, Identities, age_key,
    cipher::{self, DataKey, Failure, Kind},
    metadata::Metadata,
};
use crate::Secret;

/// What an authentication code that covers only encrypted values starts with: the digest of the
/// word `sops`, so that it never equals one that covers everything.
const MAC_ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
    0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// A SOPS file as it stands in the fleet: encrypted.
#[derive(Clone, Debug)]
pub struct SopsFile {
    name: String,
    text: String,
    root: Node,
    metadata: Metadata,
}

impl SopsFile {
    /// Reads the text of a file; `name` names it in errors.
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let syntax = |detail: &str| Error::Syntax {
            file: name.to_owned(),
            detail: detail.to_owned(),
        };
        let parsed = grove_yaml::parse(text.as_bytes(), Limits::default());
        if let Some(problem) = parsed.problems.first() {
            return Err(syntax(&problem.message));
        }
        let root = parsed.root.ok_or_else(|| syntax("it is empty"))?;
        if !matches!(root.value, Value::Map(_)) {
            return Err(syntax("its root is not a map"));
        }
        let section = root.get("sops").ok_or_else(|| Error::NotEncrypted {
            file: name.to_owned(),
        })?;
        Ok(Self {
            metadata: Metadata::read(name, section)?,
            name: name.to_owned(),
            text: text.to_owned(),
            root,
        })
    }

    /// The public keys of the age recipients.
    pub fn recipients(&self) -> Vec<String> {
        self.metadata
            .age
            .iter()
            .map(|entry| entry.recipient.clone())
            .collect()
    }

    /// Why only the `sops` program can open the file; none where [`SopsFile::open`] can.
    pub fn needs_program(&self) -> Option<&str> {
        self.metadata.foreign.as_deref()
    }

    /// The file's text, encrypted.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file's name, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens every value, and checks that none was changed, moved, added or removed.
    pub fn open(&self, identities: &Identities) -> Result<OpenFile, Error> {
        if let Some(reason) = self.needs_program() {
            return Err(Error::NeedsProgram {
                file: self.name.clone(),
                reason: reason.to_owned(),
            });
        }
        OpenFile::new(self.clone(), self.data_key(identities)?)
    }

    fn data_key(&self, identities: &Identities) -> Result<DataKey, Error> {
        if identities.is_empty() {
            return Err(Error::NoIdentity {
                file: self.name.clone(),
                recipients: self.recipients(),
            });
        }
        let mut damaged = None;
        for entry in &self.metadata.age {
            match age_key::open(&entry.armored, identities) {
                Ok(key) => return Ok(key),
                Err(age_key::Failure::NoMatch) => {}
                Err(age_key::Failure::Damaged(detail)) => damaged = Some(detail),
            }
        }
        Err(match damaged {
            Some(detail) => Error::Section {
                file: self.name.clone(),
                detail,
            },
            None => Error::WrongIdentity {
                file: self.name.clone(),
                recipients: self.recipients(),
                tried: identities.recipients(),
            },
        })
    }

    /// Every value with the keys that lead to it, in the order of the file, and the code over all.
    fn values(&self, key: &DataKey) -> Result<Opened, Error> {
        let mut reader = Reader {
            file: self,
            key,
            mac: Sha512::new(),
            values: Vec::new(),
            path: Vec::new(),
            lists: 0,
        };
        if self.metadata.mac_only_encrypted {
            reader.mac.update(MAC_ONLY_ENCRYPTED);
        }
        for entry in self
            .root
            .entries()
            .iter()
            .filter(|entry| entry.key != "sops")
        {
            reader.path.push(entry.key.clone());
            reader.read(&entry.value)?;
            reader.path.pop();
        }
        Ok(Opened {
            values: reader.values,
            mac: hex_upper(&reader.mac.finalize()),
        })
    }
}

/// A SOPS file whose values are in memory.
#[derive(Clone)]
pub struct OpenFile {
    file: SopsFile,
    key: DataKey,
    values: Vec<(Vec<String>, Secret)>,
}

impl std::fmt::Debug for OpenFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("OpenFile")
            .field("name", &self.file.name)
            .finish_non_exhaustive()
    }
}

impl OpenFile {
    fn new(file: SopsFile, key: DataKey) -> Result<Self, Error> {
        let opened = file.values(&key)?;
        // The code is bound to the time beside it.
        let stated = cipher::decrypt(&key, &file.metadata.mac, &file.metadata.modified)
            .map_err(|_| Error::Mac {
                file: file.name.clone(),
            })?
            .1;
        if stated.expose() != opened.mac {
            return Err(Error::Mac { file: file.name });
        }
        Ok(Self {
            file,
            key,
            values: opened.values,
        })
    }

    /// The value at `path`, one key a step; none where there is none, or where it is in a list.
    pub fn get(&self, path: &[&str]) -> Option<&Secret> {
        self.values
            .iter()
            .find(|(keys, _)| keys == path)
            .map(|(_, value)| value)
    }

    /// Every value with the keys that lead to it, in the order of the file; lists are left out.
    ///
    /// Numbers and booleans come as Tutor prints them: `42`, `True`.
    pub fn values(&self) -> impl Iterator<Item = (&[String], &Secret)> {
        self.values
            .iter()
            .map(|(keys, value)| (keys.as_slice(), value))
    }

    /// The file's text, encrypted.
    pub fn text(&self) -> &str {
        &self.file.text
    }

    /// The encrypted file.
    pub fn file(&self) -> &SopsFile {
        &self.file
    }

    /// Sets the value at `path`, making the maps on the way. Every byte stays but those of this
    /// value, the time `now` and the authentication code; an equal value changes nothing.
    pub fn set(&self, path: &[&str], value: &Secret, now: Timestamp) -> Result<Self, Error> {
        if self.get(path) == Some(value) {
            return Ok(self.clone());
        }
        let keys: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        if path.first().is_none_or(|key| *key == "sops") {
            return Err(self.edit_error(path, "SOPS keeps its own section there"));
        }
        if !self.file.metadata.rule.encrypts(&keys) {
            return Err(self.edit_error(path, "the file's rules would leave it in plain text"));
        }
        let occupied = self.file.root.at(path).map(|node| &node.value);
        if matches!(occupied, Some(Value::Map(_) | Value::List(_))) {
            return Err(self.edit_error(path, "there are values below it"));
        }
        let encrypted = cipher::encrypt(&self.key, value.expose(), &context(&keys))
            .ok_or_else(|| self.edit_error(path, "the value is too long"))?;
        let changed = self.edited(path, |text| {
            grove_yaml::set(text, path, &serde_json::Value::String(encrypted))
        })?;
        self.sealed_again(path, &changed, now)
    }

    /// Removes the value at `path`, or everything below it; one that is not there changes nothing.
    pub fn remove(&self, path: &[&str], now: Timestamp) -> Result<Self, Error> {
        if path.first().is_none_or(|key| *key == "sops") {
            return Err(self.edit_error(path, "SOPS keeps its own section there"));
        }
        if self.file.root.at(path).is_none() {
            return Ok(self.clone());
        }
        let changed = self.edited(path, |text| grove_yaml::remove(text, path))?;
        self.sealed_again(path, &changed, now)
    }

    /// Edits what stands before SOPS' own section, which `sops` writes last, so that it stays last.
    fn edited(
        &self,
        path: &[&str],
        edit: impl FnOnce(&str) -> Result<String, grove_yaml::EditError>,
    ) -> Result<String, Error> {
        let text = &self.file.text;
        let entries = self.file.root.entries();
        let at = match entries.last() {
            Some(last) if last.key == "sops" => line_start(text, last.key_span.start),
            _ => text.len(),
        };
        let (values, section) = text.split_at(at);
        let edited = edit(values).map_err(|error| self.edit_error(path, &error.to_string()))?;
        Ok(edited + section)
    }

    /// The file with a new text, time and code; read again to be sure that it opens.
    fn sealed_again(&self, path: &[&str], text: &str, now: Timestamp) -> Result<Self, Error> {
        let changed = SopsFile::parse(&self.file.name, text)?;
        let modified = time(now);
        let code = changed.values(&self.key)?.mac;
        let mac = cipher::encrypt(&self.key, &code, &modified)
            .ok_or_else(|| self.edit_error(path, "the cipher failed"))?;
        let mut edits = [
            (changed.metadata.mac_span, mac),
            (changed.metadata.modified_span, format!("\"{modified}\"")),
        ];
        edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
        let mut text = text.to_owned();
        for (span, new) in edits {
            text.replace_range(span.start..span.end, &new);
        }
        let file = SopsFile::parse(&self.file.name, &text)?;
        Self::new(file, self.key.clone())
    }

    fn edit_error(&self, path: &[&str], detail: &str) -> Error {
        Error::Edit {
            file: self.file.name.clone(),
            key: path.join("."),
            detail: detail.to_owned(),
        }
    }
}

struct Opened {
    values: Vec<(Vec<String>, Secret)>,
    mac: String,
}

struct Reader<'a> {
    file: &'a SopsFile,
    key: &'a DataKey,
    mac: Sha512,
    values: Vec<(Vec<String>, Secret)>,
    path: Vec<String>,
    lists: usize,
}

impl Reader<'_> {
    fn read(&mut self, node: &Node) -> Result<(), Error> {
        match &node.value {
            Value::Null => Ok(()),
            Value::Map(entries) => {
                for entry in entries {
                    self.path.push(entry.key.clone());
                    self.read(&entry.value)?;
                    self.path.pop();
                }
                Ok(())
            }
            Value::List(nodes) => {
                self.lists += 1;
                for node in nodes {
                    self.read(node)?;
                }
                self.lists -= 1;
                Ok(())
            }
            Value::Bool(value) => self.plain(if *value { "True" } else { "False" }),
            Value::Number(number) => self.plain(&number_text(number)),
            Value::String(text) => self.string(text),
        }
    }

    fn string(&mut self, text: &str) -> Result<(), Error> {
        if !self.file.metadata.rule.encrypts(&self.path) {
            return self.plain(text);
        }
        let (kind, value) = cipher::decrypt(self.key, text, &context(&self.path)).map_err(
            |failure| match failure {
                Failure::Form => Error::Plain {
                    file: self.file.name.clone(),
                    key: self.path.join("."),
                },
                Failure::Authentication => Error::Tampered {
                    file: self.file.name.clone(),
                    key: self.path.join("."),
                },
            },
        )?;
        if kind == Kind::Comment {
            return Ok(());
        }
        self.mac.update(value.expose());
        self.keep(value);
        Ok(())
    }

    fn plain(&mut self, text: &str) -> Result<(), Error> {
        if self.file.metadata.rule.encrypts(&self.path) {
            return Err(Error::Plain {
                file: self.file.name.clone(),
                key: self.path.join("."),
            });
        }
        if !self.file.metadata.mac_only_encrypted {
            self.mac.update(text);
        }
        self.keep(Secret::from(text));
        Ok(())
    }

    fn keep(&mut self, value: Secret) {
        if self.lists == 0 {
            self.values.push((self.path.clone(), value));
        }
    }
}

/// What a value's ciphertext is bound to.
pub(super) fn context(path: &[String]) -> String {
    path.iter().flat_map(|key| [key.as_str(), ":"]).collect()
}

/// A time as SOPS writes it: seconds, UTC.
pub(super) fn time(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The code over values that were all encrypted, as for a new file.
pub(super) fn mac_over<'a>(values: impl Iterator<Item = &'a str>, only_encrypted: bool) -> String {
    let mut mac = Sha512::new();
    if only_encrypted {
        mac.update(MAC_ONLY_ENCRYPTED);
    }
    for value in values {
        mac.update(value);
    }
    hex_upper(&mac.finalize())
}

/// A number as SOPS counts it: a float without exponent or trailing zeros.
fn number_text(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float.to_string(),
        _ => number.to_string(),
    }
}

fn hex_upper(bytes: &[u8]) -> String {
    grove_core::digest::hex(bytes).to_uppercase()
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |newline| newline + 1)
}
