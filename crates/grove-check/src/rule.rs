//! What a rule is: an id, its documentation, an example and a function.

use serde::Serialize;

use crate::{Context, Severity, findings::Findings, view::View};

/// One rule of [`check`](super::check).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Rule {
    /// Its name, in kebab case; never changes its meaning.
    pub id: &'static str,
    /// How much its findings matter.
    pub severity: Severity,
    /// What it finds, in one line without a full stop.
    pub summary: &'static str,
    /// What it means, why it matters and how to mend it, as Markdown.
    pub documentation: &'static str,
    /// Files that trigger this rule and no other when they are put over a small valid fleet.
    pub example: Example,
    /// Whether its locations hold what may be a secret: their text is never shown.
    #[serde(skip)]
    pub hides_source: bool,
    /// Adds what it finds.
    #[serde(skip)]
    pub(crate) check: fn(&View<'_>, &mut Findings<'_>),
}

/// A change of a small valid fleet that makes one rule speak.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Example {
    /// Files by path; each takes the place of the base fleet's file.
    pub files: &'static [(&'static str, Content)],
    /// What it needs from outside the fleet; a valid state where nothing is said.
    #[serde(skip)]
    pub(crate) context: Option<fn() -> Context>,
}

/// One file of an [`Example`].
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// A regular file.
    Text(&'static str),
    /// A regular file that is no text.
    Bytes(&'static [u8]),
    /// A symbolic link.
    Link(&'static str),
    /// A file of so many bytes, not read.
    TooLarge(u64),
    /// A file that could not be read, and why.
    Unreadable(&'static str),
    /// The base fleet's file is not there.
    Absent,
}

impl Example {
    /// An example of files alone.
    pub(crate) const fn files(files: &'static [(&'static str, Content)]) -> Self {
        Self {
            files,
            context: None,
        }
    }
}
