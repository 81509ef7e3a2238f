//! Errors that an outcome keeps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Error, Kind};

/// Why a part of what was asked did not end well, where an outcome tells of the other parts too: what an
/// [`Error`] says, as plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Whose fault it is.
    pub kind: Kind,
    /// What happened, then each cause, outermost first.
    pub messages: Vec<String>,
    /// What to do next.
    #[serde(default)]
    pub hints: Vec<String>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            kind: error.kind,
            messages: error.messages,
            hints: error.hints,
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self {
            kind: failure.kind,
            messages: failure.messages,
            hints: failure.hints,
            lock: None,
            source: None,
        }
    }
}
