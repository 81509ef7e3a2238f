//! What a deploy says of each instance.

use std::collections::BTreeSet;

use grove_release::Id;
use serde::Serialize;

use crate::{
    error::{Exit, Result},
    following,
    output::Output,
    workspace::is_json,
};

/// What becomes of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Action {
    /// It gets a release.
    Released,
    /// It is as it should be.
    Unchanged,
    /// It is held, and the hold stands.
    Held,
    /// It is frozen.
    Frozen,
}

/// One instance's line of the result.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) instance: String,
    pub(super) action: Action,
    pub(super) release: Option<u32>,
    pub(super) commit: Option<Id>,
    pub(super) added: usize,
    pub(super) changed: usize,
    pub(super) removed: usize,
    pub(super) secrets: BTreeSet<String>,
    pub(super) reason: Option<String>,
}

/// Shows the result, and gives the exit code that it means.
pub(super) fn print(
    rows: &[Row],
    waits: &[following::Row],
    dry_run: bool,
    deletions: usize,
    output: &Output,
) -> Result {
    if is_json(output) {
        output.json(&serde_json::json!({"version": 1, "dry_run": dry_run, "confirm_deletes": deletions, "instances": rows, "waits": waits}))?;
    } else {
        for row in rows {
            let release = row
                .release
                .map(|release| format!("{release:04}"))
                .unwrap_or_default();
            let text = match row.action {
                Action::Released => format!(
                    "{}: {} {release} (+{} ~{} -{})\n",
                    row.instance,
                    if dry_run { "would release" } else { "released" },
                    row.added,
                    row.changed,
                    row.removed
                ),
                Action::Unchanged => format!("{}: nothing changed, runs {release}\n", row.instance),
                Action::Held => format!(
                    "{}: held at {release}: {}\n",
                    row.instance,
                    row.reason.as_deref().unwrap_or("no reason given")
                ),
                Action::Frozen => format!(
                    "{}: {}; stays at {release}\n",
                    row.instance,
                    row.reason.as_deref().unwrap_or("frozen")
                ),
            };
            output.print(&text)?;
        }
        let released = rows
            .iter()
            .filter(|row| row.action == Action::Released)
            .count();
        if released == 0 {
            output.note("nothing changed; nothing was released");
        } else if dry_run && deletions > 0 {
            output.note(&format!(
                "to deploy this, say `--confirm-deletes {deletions}`"
            ));
        }
        following::print(waits, output)?;
    }
    let any = |action| rows.iter().any(|row| row.action == action);
    if any(Action::Held) {
        output.note("held instances follow the fleet again after `grove unhold`, or when what they would get changes");
    }
    if any(Action::Frozen) {
        output.note("frozen instances follow the fleet again with the first deploy after the freeze, or after `grove unfreeze`");
    }
    Ok(if any(Action::Held) || any(Action::Frozen) {
        Exit::Refused
    } else {
        Exit::Done
    })
}
