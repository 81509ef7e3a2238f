//! Diagnostics as data.

use grove_yaml::{Position, Span};
use serde::Serialize;

/// How much a [`Finding`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing is rendered or deployed while it stands.
    Error,
    /// Worth a change; everything works.
    Warning,
}

/// One located diagnostic with a stable id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The id of the rule, in kebab case; never changes its meaning.
    pub rule: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where: the first is the place to mend, the others clash with it or explain it.
    pub locations: Vec<Location>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// A place in a file of the fleet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Location {
    /// The file, from the fleet's root, with `/`.
    pub path: String,
    /// The bytes that are meant; an empty span at 0 means the file as a whole.
    pub span: Span,
    /// The first character, as an editor shows it.
    pub start: Position,
    /// Behind the last character.
    pub end: Position,
    /// What this place has to do with it; may be empty.
    pub label: String,
}
