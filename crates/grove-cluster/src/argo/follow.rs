//! Following one Application until it is what was released, or will not be.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Application, Trouble, troubles};
use crate::{Connection, Error};

/// How often it is looked.
const ROUND: Duration = Duration::from_millis(300);
/// After how long Argo CD is asked again to look at the repository.
const AGAIN: Duration = Duration::from_millis(1500);
/// After how long it is asked again while the sync itself is done: what it knows may lag.
const STALE: Duration = Duration::from_secs(8);
/// How long Argo CD may leave a commit alone that it has seen.
const IDLE: Duration = Duration::from_millis(1200);
/// How often it is told to sync a commit.
const ASKED: u32 = 3;
/// How often Jobs and pods are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// What is waited for.
pub struct Target<'a> {
    /// The namespace of Argo CD.
    pub argocd: &'a str,
    /// The Application of the instance.
    pub application: &'a str,
    /// The root that makes the Application.
    pub root: &'a str,
    /// The namespace of the instance.
    pub namespace: &'a str,
    /// The released commit, where Argo CD may be told to sync it without a look before: that costs as
    /// much as the sync's own.
    pub commit: Option<&'a str>,
    /// The source that the Application shall have, where a release changes that, too: one that was not
    /// changed yet can be in sync with a new commit.
    pub source: Option<&'a serde_json::Value>,
    /// When following began: a freeze that ends later is in force.
    pub now: Timestamp,
    /// What a commit of the deploy branch is to the wanted one.
    pub relation: &'a (dyn Fn(&str) -> Relation + Sync),
    /// Whether a Job, by its name, is of the release.
    pub is_job: &'a (dyn Fn(&str) -> bool + Sync),
}

/// What a commit is to the release that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It brings what is wanted: the released commit, or one after it that leaves the instance as it
    /// is.
    Wanted,
    /// It brings an older release of the instance.
    Older,
    /// It brings a newer release of the instance, which somebody else made since.
    Newer,
    /// It is not known.
    Unknown,
}

/// How following ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Synced and healthy.
    Healthy,
    /// It will not become healthy by itself.
    Failed,
    /// A newer release took its place.
    Superseded,
    /// The Application is frozen in the cluster.
    Frozen,
    /// Time ran out.
    OutOfTime,
}

/// What following saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Follow {
    /// How it ended.
    pub ended: Ended,
    /// Seconds until the wanted commit was applied as a whole; none where it was not.
    pub synced_after: Option<f64>,
    /// Seconds until the end.
    pub seconds: f64,
    /// What Argo CD said last, in a line.
    pub state: String,
    /// What is wrong, where it is not healthy.
    pub troubles: Vec<Trouble>,
}

impl Connection {
    /// Makes Argo CD sync at once and follows it for `limit` at most. An operation that applies an
    /// older release is ended first: Argo CD would look at nothing else until it ends by itself,
    /// which one that waits for a pod that never gets ready does not.
    pub async fn follow(
        &self,
        target: &Target<'_>,
        limit: Duration,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<Follow, Error> {
        let begun = Instant::now();
        let (mut refreshed, mut looked) = (None::<Instant>, None::<Instant>);
        let mut synced_after = None;
        let (mut asked, mut idle_since) = (0, None::<Instant>);
        let mut found = Vec::new();
        let mut said = String::new();
        let mut at_once = target.commit;
        loop {
            let application = self.application(target.argocd, target.application).await?;
            let state = application.as_ref().map_or_else(
                || "its Application is not there yet".to_owned(),
                |application| describe(application, target),
            );
            if state != said {
                progress(&state);
                said.clone_from(&state);
            }
            let frozen = application.as_ref().and_then(|one| one.frozen.as_ref());
            if let Some(frozen) = frozen.filter(|frozen| frozen.until > target.now) {
                // Not even what is asked for by hand: whoever froze it works on it.
                return Ok(Follow {
                    ended: Ended::Frozen,
                    synced_after,
                    seconds: begun.elapsed().as_secs_f64(),
                    state: format!(
                        "frozen until {}: {} ({})",
                        frozen.until, frozen.reason, frozen.by
                    ),
                    troubles: Vec::new(),
                });
            }
            if let Some(application) = &application {
                self.end_other(application, target).await?;
                if synced_after.is_none() && is_synced(application, target) {
                    synced_after = Some(begun.elapsed().as_secs_f64());
                }
            }
            if let Some(commit) = at_once
                && application
                    .as_ref()
                    .is_some_and(|application| is_behind(application, target))
            {
                at_once = None;
                self.sync(target.argocd, target.application, commit).await?;
                self.refresh(target.argocd, target.application).await?;
                refreshed = Some(Instant::now());
                tokio::time::sleep(ROUND).await;
                continue;
            }
            let is_there = application
                .as_ref()
                .is_some_and(|application| is_seen(application, target));
            // A look while another operation was being ended starts none, so it is asked for again
            // until one runs.
            let is_at_it = application.as_ref().is_some_and(|application| {
                is_syncing(application, target) || is_there && is_under_way(application, target)
            });
            let is_done = application
                .as_ref()
                .is_some_and(|application| is_synced(application, target));
            let pause = match (is_done, is_at_it) {
                (true, _) => Some(STALE),
                (false, true) => None,
                (false, false) => Some(AGAIN),
            };
            if pause.is_some_and(|pause| refreshed.is_none_or(|time| time.elapsed() > pause)) {
                refreshed = Some(Instant::now());
                let name = if application.is_some() {
                    target.application
                } else {
                    target.root
                };
                self.refresh(target.argocd, name).await?;
            }
            let is_healthy = is_done
                && application
                    .as_ref()
                    .is_some_and(|application| application.health.as_deref() == Some("Healthy"));
            let is_late = begun.elapsed() >= limit;
            if is_there
                && !is_healthy
                && (is_late || looked.is_none_or(|time| time.elapsed() > LOOK))
            {
                looked = Some(Instant::now());
                found = troubles(self, target.namespace, target.is_job).await?;
            }
            let is_final = found.iter().any(|trouble| trouble.is_final);
            let failed = application
                .as_ref()
                .filter(|application| has_failed(application, target));
            // Argo CD tries each commit once, and one that it saw while another operation ran it may
            // never try (seen on 3.6.1: the next comparison finds no changed path, and the last
            // operation failed): then it is told to.
            let idle = application.as_ref().filter(|application| {
                is_there && !is_under_way(application, target) && !is_busy(application)
            });
            idle_since = idle.and(idle_since.or(Some(Instant::now())));
            let is_asked_in_vain = asked > 0 && failed.is_some();
            if let Some(revision) = idle.and_then(|application| application.revision.as_deref())
                && idle_since.is_some_and(|time| time.elapsed() > IDLE)
                && !is_final
                && !is_late
                && !is_asked_in_vain
                && asked < ASKED
            {
                asked += 1;
                idle_since = None;
                self.sync(target.argocd, target.application, revision)
                    .await?;
                tokio::time::sleep(ROUND).await;
                continue;
            }
            let has_failed = is_final || is_asked_in_vain || asked >= ASKED && failed.is_some();
            let is_superseded = application
                .as_ref()
                .and_then(|application| application.revision.as_deref())
                .is_some_and(|revision| (target.relation)(revision) == Relation::Newer);
            let ended = if is_healthy {
                Ended::Healthy
            } else if is_superseded {
                Ended::Superseded
            } else if is_there && has_failed {
                Ended::Failed
            } else if is_late {
                Ended::OutOfTime
            } else {
                tokio::time::sleep(ROUND).await;
                continue;
            };
            return Ok(Follow {
                troubles: if ended == Ended::Healthy {
                    Vec::new()
                } else {
                    found
                },
                ended,
                synced_after,
                seconds: begun.elapsed().as_secs_f64(),
                state,
            });
        }
    }

    async fn end_other(&self, application: &Application, target: &Target<'_>) -> Result<(), Error> {
        let is_other = application.operation.as_ref().is_some_and(|operation| {
            operation.phase == "Running"
                && operation
                    .revision
                    .as_deref()
                    .is_some_and(|revision| (target.relation)(revision) == Relation::Older)
        });
        if is_other {
            self.end_operation(target.argocd, target.application)
                .await?;
            self.refresh(target.argocd, target.application).await?;
        }
        Ok(())
    }
}

/// Whether Argo CD has looked at the wanted commit.
fn is_seen(application: &Application, target: &Target<'_>) -> bool {
    if target.source.is_some() && application.source.as_ref() != target.source {
        return false;
    }
    application
        .revision
        .as_deref()
        .is_some_and(|revision| (target.relation)(revision) == Relation::Wanted)
}

/// Whether Argo CD runs an older release and is free. One that runs a newer release is never told to
/// sync this one.
fn is_behind(application: &Application, target: &Target<'_>) -> bool {
    !is_busy(application)
        && application
            .revision
            .as_deref()
            .is_some_and(|revision| (target.relation)(revision) == Relation::Older)
}

/// Whether any operation is under way.
fn is_busy(application: &Application) -> bool {
    application
        .operation
        .as_ref()
        .is_some_and(super::Operation::is_running)
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
fn describe(application: &Application, target: &Target<'_>) -> String {
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
    use super::{super::Operation, *};

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
