//! Differences between releases, in a line.

use std::fmt::Write as _;

use grove_release::Diff;

use crate::text::count;

/// One line that says how much changes.
pub fn summary(diff: &Diff) -> String {
    let again = diff
        .changed
        .iter()
        .filter(|change| change.runs_again)
        .count();
    let mut text = format!(
        "{} added, {} changed, {} removed",
        diff.added.len(),
        diff.changed.len(),
        diff.removed.len()
    );
    if again > 0 {
        let verb = if again == 1 { "runs" } else { "run" };
        let _written = write!(text, "; {} {verb} again", count(again, "job"));
    }
    let deletions = &diff.deletions;
    if !deletions.volumes.is_empty() {
        let _written = write!(text, "; volumes deleted: {}", deletions.volumes.join(", "));
    }
    if !deletions.hosts.is_empty() {
        let _written = write!(
            text,
            "; hosts no longer served: {}",
            deletions.hosts.join(", ")
        );
    }
    text
}
