//! Holds: instances that stay at the release they run.
//!
//! [`plan`] reads the deploy branches and says what would become of each instance; carried out, it is one
//! commit a cluster.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, release::hold, request::Target};
//!
//! let request = hold::Request {
//!     id: "hold-the-exam-week".parse().ok(),
//!     target: Target::of("prod/uni"),
//!     change: hold::Change::Hold {
//!         reason: "The exam week".to_owned(),
//!     },
//! };
//! let plan = hold::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! println!("prod/uni: {}", outcome.instances["prod/uni"]);
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;

use grove_fleet::model::Instance;
use grove_release::{Changes, DeployBranch, Hold, RECORD_VERSION, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    landed,
    publish::{Subject, publish},
    remotes,
};
use crate::{
    Around, Doing, Result,
    consent::{Consent, Needs},
    fleet::workspace::Workspace,
    request::{RequestId, Target, by_cluster},
};

/// Holds instances, or ends their holds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Which instances.
    pub target: Target,
    /// What is done.
    pub change: Change,
}

/// What is done with holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Change {
    /// Keep instances at the release they run.
    Hold {
        /// Why; shown wherever the hold is.
        reason: String,
    },
    /// Let them follow the fleet again.
    Unhold,
}

/// What became of each instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// In words, by `cluster/instance`.
    pub instances: BTreeMap<String, String>,
}

/// What a request would do.
pub struct Plan<'a> {
    around: &'a Around,
    request: Request,
    needs: Needs,
    outcome: Outcome,
    /// The branches to be written, with what changes there.
    changes: Vec<(DeployBranch, Changes)>,
}

/// Reads the fleet and the deploy branches. Whatever else is wrong with the fleet is no reason not to hold.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.target.revision.as_deref())?;
    let fleet = workspace.check()?.fleet;
    let instances = request.target.choose(&fleet)?;
    let author = around.author()?.to_string();
    let mut plan = Plan {
        around,
        request: request.clone(),
        needs: request.target.needs(&instances),
        outcome: Outcome {
            instances: BTreeMap::new(),
        },
        changes: Vec::new(),
    };
    for (cluster, instances) in by_cluster(&instances) {
        around.doing(Doing::Fetching { cluster });
        let branch = remotes::open(&workspace, &fleet, cluster)?;
        let mut changes = Changes::default();
        let landed = landed::of(&branch, request.id.as_ref())?;
        let view = landed::view(&branch, landed.as_ref())?;
        for instance in instances {
            let said = plan.edit(&view, instance, &author, &mut changes)?;
            plan.outcome
                .instances
                .insert(instance.address.to_string(), said);
        }
        drop(view);
        if landed.is_none() && !changes.is_empty() {
            plan.changes.push((branch, changes));
        }
    }
    around.progress_done();
    Ok(plan)
}

impl Plan<'_> {
    /// What must be agreed to.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What would become of each instance.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Writes it, one commit a cluster.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        let _entered = self.around.enter()?;
        self.needs.met_by(consent)?;
        let subject = match &self.request.change {
            Change::Hold { reason } => {
                format!("Hold: {}", reason.lines().next().unwrap_or_default())
            }
            Change::Unhold => "End holds".to_owned(),
        };
        for (mut branch, changes) in self.changes {
            let subject = Subject::new(&subject, self.request.id.as_ref());
            publish(self.around, &mut branch, changes, subject)?;
        }
        Ok(self.outcome)
    }

    /// What becomes of one instance.
    fn edit(
        &self,
        view: &View<'_>,
        instance: &Instance,
        author: &str,
        changes: &mut Changes,
    ) -> Result<String> {
        let name = &instance.address.instance;
        let held = view.hold(name)?;
        let Change::Hold { reason } = &self.request.change else {
            return Ok(match held {
                None => "is not held".to_owned(),
                Some(hold) => {
                    changes.unhold(name);
                    format!("no longer held ({})", hold.reason)
                }
            });
        };
        let Some(running) = view.latest(name)? else {
            return Ok("was never released; nothing to hold".to_owned());
        };
        // A rollback's hold ends by itself when the source changes; this one does not.
        if let Some(hold) = held
            && hold.left.is_empty()
        {
            return Ok(format!("is held already: {}", hold.reason));
        }
        changes.hold(
            name,
            &Hold {
                version: RECORD_VERSION,
                reason: reason.clone(),
                since: self.around.now(),
                by: author.to_owned(),
                release: running.release,
                left: Vec::new(),
            },
        );
        Ok(format!("held at {:04}", running.release))
    }
}
