//! What a rule is: an id, its documentation, an example and a function.

use serde::Serialize;

use super::{Context, findings::Findings, view::View};
use crate::{File, Severity, Snapshot};

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

impl Rule {
    /// The findings of the rule's own example, as [`text()`](super::text()) shows them.
    pub fn example_report(&self, colour: bool) -> String {
        let snapshot = self.example.snapshot();
        let findings = super::check(&snapshot, &self.example.context()).findings;
        super::text(&findings, &snapshot, colour)
    }
}

impl Example {
    /// An example of files alone.
    pub(crate) const fn files(files: &'static [(&'static str, Content)]) -> Self {
        Self {
            files,
            context: None,
        }
    }

    /// This example over the base fleet.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = super::base::snapshot();
        for (path, content) in self.files {
            let file = match *content {
                Content::Text(text) => File::Bytes(text.as_bytes().into()),
                Content::Bytes(bytes) => File::Bytes(bytes.into()),
                Content::Link(target) => File::Link(target.to_owned()),
                Content::TooLarge(size) => File::TooLarge(size),
                Content::Unreadable(why) => File::Unreadable(why.to_owned()),
                Content::Absent => {
                    snapshot.files.remove(*path);
                    continue;
                }
            };
            snapshot.files.insert((*path).to_owned(), file);
        }
        snapshot
    }

    /// What the example takes from outside the fleet.
    pub fn context(&self) -> Context {
        self.context
            .map_or_else(super::base::context, |context| context())
    }
}
