//! What one look at an Application says of the release that is followed.

use super::{Relation, Target};
use crate::argo::{Application, Operation};

/// What is to be known of an Application to decide what to do.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and all come from one look"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look<'a> {
    /// A freeze is in force.
    pub(super) is_frozen: bool,
    /// An operation applies an older release.
    pub(super) is_at_older: bool,
    /// The last look was at an older release, and no operation is under way.
    pub(super) is_behind: bool,
    /// Any operation is under way.
    pub(super) is_busy: bool,
    /// The last look was at the wanted commit.
    pub(super) is_seen: bool,
    /// The wanted commit is being applied.
    pub(super) is_syncing: bool,
    /// The wanted commit is applied, or being applied.
    pub(super) is_under_way: bool,
    /// All of the wanted commit was applied, and no operation is under way.
    pub(super) is_synced: bool,
    /// What was applied is healthy.
    pub(super) is_healthy: bool,
    /// The sync of the wanted commit ended badly and is not tried again.
    pub(super) has_failed: bool,
    /// The last look was at a newer release.
    pub(super) is_superseded: bool,
    /// The commit of the last look.
    pub(super) revision: Option<&'a str>,
}

impl<'a> Look<'a> {
    /// What an Application says of the release.
    pub(super) fn new(application: &'a Application, target: &Target<'_>) -> Self {
        let frozen = application.frozen.as_ref();
        Self {
            is_frozen: frozen.is_some_and(|frozen| frozen.until > target.now),
            is_at_older: is_at_older(application, target),
            is_behind: is_behind(application, target),
            is_busy: is_busy(application),
            is_seen: is_seen(application, target),
            is_syncing: is_syncing(application, target),
            is_under_way: is_under_way(application, target),
            is_synced: is_synced(application, target),
            is_healthy: application.health.as_deref() == Some("Healthy"),
            has_failed: has_failed(application, target),
            is_superseded: relation(application, target) == Some(Relation::Newer),
            revision: application.revision.as_deref(),
        }
    }
}

/// What the commit of the last look is to the wanted one.
fn relation(application: &Application, target: &Target<'_>) -> Option<Relation> {
    application
        .revision
        .as_deref()
        .map(|revision| (target.relation)(revision))
}

/// Whether an operation applies an older release.
fn is_at_older(application: &Application, target: &Target<'_>) -> bool {
    application.operation.as_ref().is_some_and(|operation| {
        operation.phase == "Running"
            && operation
                .revision
                .as_deref()
                .is_some_and(|revision| (target.relation)(revision) == Relation::Older)
    })
}

/// Whether Argo CD has looked at the wanted commit.
fn is_seen(application: &Application, target: &Target<'_>) -> bool {
    if target.source.is_some() && application.source.as_ref() != target.source {
        return false;
    }
    relation(application, target) == Some(Relation::Wanted)
}

/// Whether Argo CD runs an older release and is free. One that runs a newer release is never told to
/// sync this one.
fn is_behind(application: &Application, target: &Target<'_>) -> bool {
    !is_busy(application) && relation(application, target) == Some(Relation::Older)
}

/// Whether any operation is under way.
fn is_busy(application: &Application) -> bool {
    application
        .operation
        .as_ref()
        .is_some_and(Operation::is_running)
}

/// Whether the wanted commit is applied, or being applied.
fn is_under_way(application: &Application, target: &Target<'_>) -> bool {
    application.sync.as_deref() == Some("Synced") || is_syncing(application, target)
}

/// Whether the wanted commit is being applied.
fn is_syncing(application: &Application, target: &Target<'_>) -> bool {
    application.operation.as_ref().is_some_and(|operation| {
        operation.is_running()
            && operation
                .revision
                .as_deref()
                .is_none_or(|revision| (target.relation)(revision) == Relation::Wanted)
    })
}

/// Whether everything of the wanted commit was applied, and nothing is under way.
fn is_synced(application: &Application, target: &Target<'_>) -> bool {
    is_seen(application, target)
        && application.sync.as_deref() == Some("Synced")
        && !is_busy(application)
}

/// Whether the sync of the wanted commit ended badly and is not tried again.
fn has_failed(application: &Application, target: &Target<'_>) -> bool {
    application.operation.as_ref().is_some_and(|operation| {
        matches!(operation.phase.as_str(), "Failed" | "Error")
            && operation
                .revision
                .as_deref()
                .is_some_and(|revision| (target.relation)(revision) == Relation::Wanted)
            && application.sync.as_deref() != Some("Synced")
    })
}

/// What Argo CD says, in a line.
pub(super) fn describe(application: &Application, target: &Target<'_>) -> String {
    if let Some(condition) = application.conditions.first() {
        return condition.clone();
    }
    if !is_seen(application, target) && !is_syncing(application, target) {
        return "Argo CD has not seen the commit yet".to_owned();
    }
    let sync = application.sync.as_deref().unwrap_or("Unknown");
    let health = application.health.as_deref().unwrap_or("Unknown");
    match &application.operation {
        Some(operation) if operation.is_running() && !operation.message.is_empty() => {
            format!("{sync}, {health}: {}", operation.message)
        }
        Some(operation) if has_failed(application, target) => {
            let first = operation.failed.first().unwrap_or(&operation.message);
            format!("{sync}, {health}: {first}")
        }
        _ => match &application.health_message {
            Some(why) => format!("{sync}, {health}: {why}"),
            None => format!("{sync}, {health}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn application(sync: &str, revision: &str, phase: &str, of: &str) -> Application {
        Application {
            revision: Some(revision.to_owned()),
            sync: Some(sync.to_owned()),
            health: Some("Healthy".to_owned()),
            operation: Some(Operation {
                phase: phase.to_owned(),
                message: "its message".to_owned(),
                revision: Some(of.to_owned()),
                ..Operation::default()
            }),
            ..Application::default()
        }
    }

    #[test]
    fn what_an_application_is_to_a_release() {
        let relation = |revision: &str| match revision {
            "new" => Relation::Wanted,
            "old" => Relation::Older,
            "newer" => Relation::Newer,
            _ => Relation::Unknown,
        };
        let target = Target {
            argocd: "argocd",
            application: "prod-uni",
            root: "grove-apps",
            now: Timestamp::UNIX_EPOCH,
            namespace: "uni",
            commit: None,
            source: None,
            relation: &relation,
            is_job: &|_| true,
        };
        let shown = |sync: &str, revision: &str, phase: &str, of: &str| {
            let application = application(sync, revision, phase, of);
            format!(
                "seen {} under way {} synced {} failed {}: {}",
                is_seen(&application, &target),
                is_under_way(&application, &target),
                is_synced(&application, &target),
                has_failed(&application, &target),
                describe(&application, &target),
            )
        };
        insta::assert_snapshot!(shown("Synced", "old", "Succeeded", "old"), @"seen false under way true synced false failed false: Argo CD has not seen the commit yet");
        insta::assert_snapshot!(shown("OutOfSync", "new", "Running", "new"), @"seen true under way true synced false failed false: OutOfSync, Healthy: its message");
        // Seen while an operation of an older release was ended: nobody is at it.
        insta::assert_snapshot!(shown("OutOfSync", "new", "Failed", "old"), @"seen true under way false synced false failed false: OutOfSync, Healthy");
        insta::assert_snapshot!(shown("OutOfSync", "new", "Failed", "new"), @"seen true under way false synced false failed true: OutOfSync, Healthy: its message");
        insta::assert_snapshot!(shown("Synced", "new", "Running", "new"), @"seen true under way true synced false failed false: Synced, Healthy: its message");
        insta::assert_snapshot!(shown("Synced", "new", "Succeeded", "new"), @"seen true under way true synced true failed false: Synced, Healthy");
        let behind = |revision: &str, phase: &str| {
            is_behind(&application("Synced", revision, phase, revision), &target)
        };
        assert!(behind("old", "Succeeded"));
        assert!(!behind("old", "Running"));
        assert!(!behind("newer", "Succeeded"));
        assert!(!behind("unknown", "Succeeded"));
        // An Application whose own source is still the older one has not seen the release.
        let wanted = serde_json::json!({"path": "charts/notes"});
        let shared = Target {
            source: Some(&wanted),
            ..target
        };
        let mut child = application("Synced", "new", "Succeeded", "new");
        assert!(!is_synced(&child, &shared));
        child.source = Some(wanted.clone());
        assert!(is_synced(&child, &shared));
    }
}
