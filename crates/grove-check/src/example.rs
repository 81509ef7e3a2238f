//! Examples of rules, over the base fleet.

use grove_fleet::{File, Snapshot};

use crate::{
    Context, base, check,
    rule::{Content, Example, Rule},
    text::text,
};

impl Rule {
    /// The findings of the rule's own example, as [`text()`] shows them.
    pub fn example_report(&self, colour: bool) -> String {
        let snapshot = self.example.snapshot();
        let findings = check(&snapshot, &self.example.context()).findings;
        text(&findings, &snapshot, colour)
    }
}

impl Example {
    /// This example over the base fleet.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = base::snapshot();
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
        self.context.map_or_else(base::context, |context| context())
    }
}
