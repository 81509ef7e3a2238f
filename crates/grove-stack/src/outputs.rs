//! What a stack gave when it was applied: a file of the fleet, versioned and with a checksum.
//!
//! Values of sensitive outputs are not in it but in a SOPS file beside it; it holds the digest of each
//! ciphertext, so that the two are known to belong together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The version of the format that this Grove writes.
const VERSION: u32 = 1;

/// The most that one output may take, in bytes of JSON: it is configuration, not a file.
pub const LIMIT: usize = 64 << 10;

/// The outputs of one stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outputs {
    /// The version of the format.
    version: u32,
    /// The stack's address, `cluster:stack` or `cluster/instance:stack`.
    pub stack: String,
    /// The lineage of the state that they are from.
    pub lineage: String,
    /// The serial of that state.
    pub serial: u64,
    /// The digest of everything that it was applied from.
    pub inputs: String,
    /// By name.
    pub outputs: BTreeMap<String, OutputValue>,
    /// SHA-256 over everything else, as [`Outputs::text`] writes it.
    checksum: String,
}

/// One output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum OutputValue {
    /// It may be read by anyone.
    Plain {
        /// The value.
        value: Value,
    },
    /// It is in the SOPS file beside, as JSON.
    Sensitive {
        /// `sha256:` and 64 digits of its ciphertext.
        sensitive: String,
    },
}

/// A file that is not the outputs of a stack.
#[derive(Debug, thiserror::Error)]
pub enum OutputsError {
    /// It is no JSON of this shape.
    #[error("it cannot be read: {0}")]
    Shape(#[from] serde_json::Error),
    /// A newer Grove wrote it.
    #[error("it has version {0}, and this Grove reads {VERSION}")]
    Version(u32),
    /// Somebody changed it, or it was written in part.
    #[error("its checksum does not fit its content")]
    Checksum,
    /// It is another stack's.
    #[error("it is of the stack `{0}`")]
    Stack(String),
}

/// An output that cannot be kept.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutputRefused {
    /// It is too large.
    #[error("the output `{name}` has {bytes} bytes, more than {LIMIT}")]
    TooLarge {
        /// The output.
        name: String,
        /// Its size.
        bytes: usize,
    },
    /// Its name is none that the language allows.
    #[error("`{0}` is no name of an output")]
    Name(String),
}

impl Outputs {
    /// The outputs of a state.
    pub fn new(
        stack: String,
        lineage: String,
        serial: u64,
        inputs: String,
        outputs: BTreeMap<String, OutputValue>,
    ) -> Self {
        let mut made = Self {
            version: VERSION,
            stack,
            lineage,
            serial,
            inputs,
            outputs,
            checksum: String::new(),
        };
        made.checksum = made.sum();
        made
    }

    /// Reads the file of a stack.
    ///
    /// # Errors
    ///
    /// Another shape, version or stack, or a checksum that does not fit.
    pub fn parse(bytes: &[u8], stack: &str) -> Result<Self, OutputsError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } = serde_json::from_slice(bytes)?;
        if version != VERSION {
            return Err(OutputsError::Version(version));
        }
        let read: Self = serde_json::from_slice(bytes)?;
        if read.checksum != read.sum() {
            return Err(OutputsError::Checksum);
        }
        if read.stack != stack {
            return Err(OutputsError::Stack(read.stack));
        }
        Ok(read)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        // Only maps with keys that are text: nothing that JSON could not hold.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    fn sum(&self) -> String {
        let plain = Self {
            checksum: String::new(),
            ..self.clone()
        };
        format!("sha256:{:x}", Sha256::digest(plain.text()))
    }
}

/// Refuses an output that is no configuration. What OpenTofu prints is as hostile as the modules that it
/// runs.
///
/// # Errors
///
/// A value that is too large, or a name with other characters than the language has.
pub fn admit(name: &str, value: &Value) -> Result<(), OutputRefused> {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || name.len() > 200 || !name.chars().all(is_letter) {
        return Err(OutputRefused::Name(name.chars().take(60).collect()));
    }
    let bytes = value.to_string().len();
    if bytes > LIMIT {
        return Err(OutputRefused::TooLarge {
            name: name.to_owned(),
            bytes,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outputs() -> Outputs {
        let values = [
            (
                "id",
                OutputValue::Plain {
                    value: json!({"big": 1, "lines": "a\nb"}),
                },
            ),
            (
                "password",
                OutputValue::Sensitive {
                    sensitive: "sha256:00".to_owned(),
                },
            ),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value));
        Outputs::new(
            "prod:network".to_owned(),
            "l".to_owned(),
            3,
            "sha256:1".to_owned(),
            values.into(),
        )
    }

    #[test]
    fn what_was_written_is_read_again() {
        let outputs = outputs();
        let read = Outputs::parse(outputs.text().as_bytes(), "prod:network").unwrap();
        assert_eq!(read, outputs);
    }

    #[test]
    fn a_change_by_hand_another_stack_and_a_newer_format_are_seen() {
        let text = outputs().text();
        let why = |text: &str, stack: &str| {
            Outputs::parse(text.as_bytes(), stack)
                .unwrap_err()
                .to_string()
        };
        insta::assert_snapshot!(why(&text.replace("\"big\": 1", "\"big\": 2"), "prod:network"), @"its checksum does not fit its content");
        insta::assert_snapshot!(why(&text, "prod:data"), @"it is of the stack `prod:network`");
        insta::assert_snapshot!(why(&text.replace("\"version\": 1", "\"version\": 2"), "prod:network"), @"it has version 2, and this Grove reads 1");
    }

    #[test]
    fn an_output_is_configuration() {
        assert_eq!(admit("vpc_id", &json!("a\nb")), Ok(()));
        let large = json!("x".repeat(1 << 20));
        insta::assert_snapshot!(admit("x", &large).unwrap_err(), @"the output `x` has 1048578 bytes, more than 65536");
        assert!(admit("../x", &json!(1)).is_err());
    }
}
