//! The text of a lock.

use std::fmt::Write as _;

use grove_yaml::Limits;
use serde::Deserialize as _;
use sha2::{Digest as _, Sha256};

use super::Lock;

/// What each line of the head starts with.
const MARK: &str = "#:";

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
            digest: format!("sha256:{:x}", Sha256::digest(text)),
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
