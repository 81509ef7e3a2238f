//! Following one Application until it is what was released, or will not be.
//!
//! [`decide`] says what to do, of what was seen and what is remembered; the loop here does it.

mod decide;
mod seen;

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use self::{
    decide::{Memory, Seen, Step, decide},
    seen::{Look, describe},
};
use super::{Application, Trouble, troubles};
use crate::{Connection, Error};

/// How often it is looked.
const ROUND: Duration = Duration::from_millis(300);

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    ///
    /// # Errors
    ///
    /// What the cluster says. What becomes of the release is not an error: see [`Follow`].
    pub async fn follow(
        &self,
        target: &Target<'_>,
        limit: Duration,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<Follow, Error> {
        let begun = Instant::now();
        let (argocd, name) = (target.argocd, target.application);
        let mut memory = Memory::new(target.commit.is_some());
        let mut found = Vec::new();
        let mut said = String::new();
        loop {
            let application = self.application(argocd, name).await?;
            let state = application.as_ref().map_or_else(
                || "its Application is not there yet".to_owned(),
                |application| describe(application, target),
            );
            if state != said {
                progress(&state);
                said.clone_from(&state);
            }
            let look = application.as_ref().map(|one| Look::new(one, target));
            loop {
                let seen = Seen {
                    since: begun.elapsed(),
                    limit,
                    look,
                    is_hopeless: found.iter().any(|trouble: &Trouble| trouble.is_final),
                };
                let step;
                (step, memory) = decide(&seen, memory);
                match step {
                    Step::EndOther => {
                        self.end_operation(argocd, name).await?;
                        self.refresh(argocd, name).await?;
                    }
                    Step::SyncAtOnce => {
                        if let Some(commit) = target.commit {
                            self.sync(argocd, name, commit).await?;
                            self.refresh(argocd, name).await?;
                        }
                    }
                    Step::Refresh => self.refresh(argocd, name).await?,
                    Step::RefreshRoot => self.refresh(argocd, target.root).await?,
                    Step::LookAtTroubles => {
                        found = troubles(self, target.namespace, target.is_job).await?;
                    }
                    Step::Sync(revision) => self.sync(argocd, name, revision).await?,
                    Step::Wait => break tokio::time::sleep(ROUND).await,
                    Step::End(ended) => {
                        let frozen = application.as_ref().filter(|_| ended == Ended::Frozen);
                        return Ok(Follow {
                            ended,
                            synced_after: memory.synced_after().map(|time| time.as_secs_f64()),
                            seconds: begun.elapsed().as_secs_f64(),
                            state: frozen.and_then(freeze).unwrap_or(state),
                            troubles: match ended {
                                Ended::Healthy | Ended::Frozen => Vec::new(),
                                _ => found,
                            },
                        });
                    }
                }
            }
        }
    }
}

/// The freeze of an Application, in a line.
fn freeze(application: &Application) -> Option<String> {
    let frozen = application.frozen.as_ref()?;
    Some(format!(
        "frozen until {}: {} ({})",
        frozen.until, frozen.reason, frozen.by
    ))
}
