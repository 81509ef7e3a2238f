//! What a deploy is asked to do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    request::{RequestId, Target},
};

/// Releases instances: one commit a cluster. An instance whose objects stay as they are gets no release, and
/// one that is held or frozen is passed over.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Which instances, of which commit of the fleet. The fleet's upstream must have it.
    pub target: Target,
    /// What the releases are for; stands in their records and in the commits.
    #[serde(default)]
    pub message: Option<String>,
    /// Deploys the work tree as it is, with changes that are in no commit; refused for production, and
    /// where the target has a revision.
    #[serde(default)]
    pub local: bool,
    /// Deploys a source that does not descend from the one that runs.
    #[serde(default)]
    pub allow_older: bool,
    /// Changes nothing but this, over the source of the running release; a hold stays. Refused beside
    /// `local` and `allow_older`.
    #[serde(default)]
    pub only: Option<Only>,
    /// Makes deploy repositories that are missing; local paths only.
    #[serde(default)]
    pub create_remote: bool,
    /// How many seconds to follow the releases until they run; none does not follow them.
    #[serde(default)]
    pub wait: Option<u64>,
}

/// What a deploy can be confined to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Only {
    /// How instances are operated: `state`, `maintenance`, `autoscaling`, replicas, values of secrets.
    /// No Job runs.
    Operational,
}

impl Request {
    /// A deploy of these instances, and nothing else said.
    pub fn new(target: Target) -> Self {
        Self {
            id: None,
            target,
            message: None,
            local: false,
            allow_older: false,
            only: None,
            create_remote: false,
            wait: None,
        }
    }

    /// Refuses a request that contradicts itself or says too little.
    pub(super) fn check(&self) -> Result<()> {
        self.target.selection.must_be_stated()?;
        let clash = if self.local && self.target.revision.is_some() {
            Some(("local", "revision"))
        } else if self.only.is_some() && self.local {
            Some(("only", "local"))
        } else if self.only.is_some() && self.allow_older {
            Some(("only", "allow_older"))
        } else {
            None
        };
        match clash {
            None => Ok(()),
            Some((one, other)) => Err(Error::usage(format!(
                "a deploy with `{one}` cannot have `{other}`"
            ))),
        }
    }
}
