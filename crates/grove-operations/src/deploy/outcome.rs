//! What a deploy says of each instance.

use std::collections::BTreeSet;

use grove_release::Id;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    release::follow::{Waited, verdict},
    requests::Answer,
};

/// What became of the instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Whether it was only looked at.
    pub dry_run: bool,
    /// How many volumes, hosts and other objects go; 0 where what goes needs no consent.
    pub confirm_deletes: usize,
    /// Each of them, clusters in the order of their names. Where one cluster failed, those before it.
    pub instances: Vec<Row>,
    /// What became of the releases in their clusters, where they were followed.
    pub waits: Vec<Waited>,
    /// Why a cluster got nothing, or what was released cannot be followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Error>,
}

/// What became of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// `cluster/instance`.
    pub instance: String,
    /// What became of it.
    pub action: Action,
    /// Its release: the new one, else the one that runs. None where it has none.
    pub release: Option<u32>,
    /// The commit of the deploy branch that brings the release; none where nothing was written.
    pub commit: Option<Id>,
    /// How many objects come.
    pub added: usize,
    /// How many objects change.
    pub changed: usize,
    /// How many objects go.
    pub removed: usize,
    /// Names of the secrets whose value is new or another than before.
    pub secrets: BTreeSet<String>,
    /// Why it is passed over.
    pub reason: Option<String>,
}

/// What becomes of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It gets a release.
    Released,
    /// It is as it should be.
    Unchanged,
    /// It is held, and the hold stands.
    Held,
    /// It is frozen.
    Frozen,
}

impl Answer for Outcome {
    /// Nothing was done for an instance that is held or frozen: it is asked again.
    fn is_whole(&self) -> bool {
        let is_passed_over = self.has(Action::Held) || self.has(Action::Frozen);
        self.failure.is_none() && !is_passed_over && verdict(&self.waits).is_none()
    }
}

impl Outcome {
    /// Whether there is an instance that this became of.
    pub fn has(&self, action: Action) -> bool {
        self.instances.iter().any(|row| row.action == action)
    }
}
