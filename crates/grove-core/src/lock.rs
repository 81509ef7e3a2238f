//! A distribution's lock, and its text.

use std::{collections::BTreeMap, fmt::Write as _};

use grove_yaml::Limits;
use serde::{Deserialize, Serialize};

use crate::digest;

/// What each line of the head starts with.
const MARK: &str = "#:";

/// A distribution's lock: a requirements file that pip and uv read as it is, headed by comment
/// lines that start with `#: ` and hold the fields below as YAML.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Version of this format.
    pub version: u32,
    /// [`Distribution::input`](crate::Distribution::input) of the distribution that was locked,
    /// `sha256:` and 64 digits.
    pub input: String,
    /// Tutor's version, as `22.0.3`.
    pub tutor: String,
    /// The secrets that Tutor itself declares (its unique keys), without `ID`.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// What Tutor calls each plugin, and where it comes from.
    #[serde(default)]
    pub plugins: BTreeMap<String, LockedPlugin>,
    /// Wheels that Grove builds, by package name.
    #[serde(default)]
    pub wheels: BTreeMap<String, Wheel>,
    /// The locked requirements of build back ends, as lines of a requirements file. Most wheels
    /// share one; [`Wheel::build`] names it.
    #[serde(default)]
    pub builds: BTreeMap<String, String>,
    /// The requirements: the file's lines without the head.
    #[serde(skip)]
    pub requirements: String,
    /// `sha256:` and 64 digits of the whole file: the name of its environment in the cache.
    #[serde(skip)]
    pub digest: String,
}

/// A plugin of a locked distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedPlugin {
    /// The package that carries it.
    pub package: String,
    /// That package's version.
    pub version: String,
    /// The secrets that it declares.
    #[serde(default)]
    pub secrets: Vec<String>,
}

/// A wheel that Grove builds: from a commit, or from the source archive of a package that has no
/// wheel in the package index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wheel {
    /// Where the commit is fetched; empty for an archive.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub git: String,
    /// The commit, 40 hexadecimal digits; empty for an archive.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rev: String,
    /// The source archive's SHA-256 digest, 64 hexadecimal digits; empty for a commit.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub archive: String,
    /// The wheel's file name.
    pub file: String,
    /// 64 hexadecimal digits.
    pub sha256: String,
    /// Which of [`Lock::builds`] it is built with.
    pub build: String,
}

/// Why a text is no lock.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// No line starts with `#:`.
    #[error("the lock has no head")]
    NoHead,
    /// The head is not YAML, or lacks a field.
    #[error("the lock's head cannot be read: {0}")]
    Head(String),
    /// A later version of Grove wrote it.
    #[error("the lock has version {0}, and this version of Grove reads {version}", version = Lock::VERSION)]
    Version(u32),
}

impl Lock {
    /// The version of the format that this version of Grove writes, and the last that it reads.
    pub const VERSION: u32 = 1;

    /// Reads the text of a lock.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        let mut head = String::new();
        let mut requirements = String::new();
        for line in text.split_inclusive('\n') {
            match line.strip_prefix(MARK) {
                Some(field) => head.push_str(field.strip_prefix(' ').unwrap_or(field)),
                None => requirements.push_str(line),
            }
        }
        if head.is_empty() {
            return Err(LockError::NoHead);
        }
        let parsed = grove_yaml::parse(head.as_bytes(), Limits::default());
        if let Some(problem) = parsed.problems.first() {
            return Err(LockError::Head(problem.message.clone()));
        }
        let head = parsed.root.ok_or(LockError::NoHead)?.into_json();
        // The version comes first: another one may lack, or mean, other fields.
        if let Some(version) = head.get("version").and_then(serde_json::Value::as_u64)
            && version != u64::from(Self::VERSION)
        {
            return Err(LockError::Version(
                u32::try_from(version).unwrap_or(u32::MAX),
            ));
        }
        let lock = Self::deserialize(head).map_err(|error| LockError::Head(error.to_string()))?;
        Ok(Self {
            requirements,
            digest: digest::sha256(text.as_bytes()),
            ..lock
        })
    }

    /// The text of the lock, its head sorted by key. [`Lock::digest`] is not in it: it is the
    /// digest of this text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // A structure of texts, numbers and maps of them always has a JSON form.
        let head = serde_json::to_value(self).unwrap_or_default();
        for line in grove_yaml::emit(&head).lines() {
            let space = if line.is_empty() { "" } else { " " };
            let _ = writeln!(text, "{MARK}{space}{line}");
        }
        text.push_str(&self.requirements);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        Lock {
            version: Lock::VERSION,
            input: "sha256:00".to_owned(),
            tutor: "22.0.3".to_owned(),
            secrets: vec!["MYSQL_ROOT_PASSWORD".to_owned()],
            plugins: BTreeMap::from([(
                "mfe".to_owned(),
                LockedPlugin {
                    package: "tutor-mfe".to_owned(),
                    version: "22.1.0".to_owned(),
                    secrets: vec![],
                },
            )]),
            wheels: BTreeMap::from([(
                "own".to_owned(),
                Wheel {
                    git: "https://x/y".to_owned(),
                    rev: "abc".to_owned(),
                    file: "own-1-py3-none-any.whl".to_owned(),
                    sha256: "00".to_owned(),
                    build: "one".to_owned(),
                    ..Wheel::default()
                },
            )]),
            builds: BTreeMap::from([(
                "one".to_owned(),
                "setuptools==1 \\\n    --hash=sha256:00\n\nwheel==1\n".to_owned(),
            )]),
            requirements: "# tutor's own\ntutor==22.0.3 \\\n    --hash=sha256:11\n".to_owned(),
            digest: String::new(),
        }
    }

    #[test]
    fn a_lock_can_be_read_back() {
        let text = lock().to_text();
        let read = Lock::parse(&text).unwrap();
        assert_eq!(read.digest.len(), "sha256:".len() + 64);
        assert_eq!(
            Lock {
                digest: String::new(),
                ..read.clone()
            },
            lock()
        );
        assert_eq!(read.to_text(), text);
        insta::assert_snapshot!(text, @r#"
        #: builds:
        #:   one: |
        #:     setuptools==1 \
        #:         --hash=sha256:00
        #:
        #:     wheel==1
        #: input: sha256:00
        #: plugins:
        #:   mfe:
        #:     package: tutor-mfe
        #:     secrets: []
        #:     version: "22.1.0"
        #: secrets:
        #: - MYSQL_ROOT_PASSWORD
        #: tutor: "22.0.3"
        #: version: 1
        #: wheels:
        #:   own:
        #:     build: one
        #:     file: own-1-py3-none-any.whl
        #:     git: https://x/y
        #:     rev: abc
        #:     sha256: "00"
        # tutor's own
        tutor==22.0.3 \
            --hash=sha256:11
        "#);
    }

    #[test]
    fn what_is_no_lock_is_refused() {
        let read = |text: &str| Lock::parse(text).unwrap_err().to_string();
        insta::assert_snapshot!(read("tutor==22.0.3\n"), @"the lock has no head");
        insta::assert_snapshot!(read("#: version: 2\n#: other: things\n"), @"the lock has version 2, and this version of Grove reads 1");
        insta::assert_snapshot!(read("#: version: 1\n"), @"the lock's head cannot be read: missing field `input`");
        insta::assert_snapshot!(read("#: a: [\n"), @"the lock's head cannot be read: unclosed bracket '['");
        insta::assert_snapshot!(read("#: - 1\n"), @"the lock's head cannot be read: invalid length 1, expected struct Lock with 7 elements");
    }
}
