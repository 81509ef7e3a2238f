//! Holds: instances that stay at the release they run.
//!
//! [`plan`] reads the deploy branches and says what would become of each instance; carried out, it is one
//! commit a cluster.
//!
//! ```
//! # let world = grove_example::World::deployed();
//! # let around = &world.around();
//! use grove_operations::{consent::Consent, release::hold, request::Target};
//!
//! let request = hold::Request {
//!     id: "hold-the-exam-week".parse().ok(),
//!     target: Target::of("alpha/uni"),
//!     change: hold::Change::Hold {
//!         reason: "The exam week".to_owned(),
//!     },
//! };
//! let plan = hold::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! println!("alpha/uni: {}", outcome.instances["alpha/uni"]);
//! # Ok::<(), grove_operations::Error>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};

use grove_fleet::Address;
use grove_release::{Changes, DeployBranch, Hold, Landed, RECORD_VERSION, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    landed,
    publish::{Subject, publish},
    remotes,
};
use crate::{
    Around, Doing, Error, Result,
    consent::{Consent, Needs},
    fleet::{find::address, workspace::Workspace},
    request::{RequestId, Target, by_cluster},
    requests::{Answer, Once},
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
    /// Why a cluster got nothing; then those on the clusters before it are named alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Error>,
}

impl Answer for Outcome {
    fn is_whole(&self) -> bool {
        self.failure.is_none()
    }
}

/// What a request would do.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    around: &'a Around,
    request: Request,
    needs: Needs,
    outcome: Outcome,
    /// The branches to be written, with what changes there.
    changes: Vec<(DeployBranch, Changes)>,
}

/// Reads the fleet and the deploy branches. Whatever else is wrong with the fleet is no reason not to hold.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Once::plan(around, "release/hold", id, request, |_| {
        work(around, request)
    })
    .map(Plan)
}

fn work<'a>(around: &'a Around, request: &Request) -> Result<Work<'a>> {
    let workspace = Workspace::open(around, request.target.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let instances = request.target.choose(&fleet)?;
    let author = around.author()?.to_string();
    let mut plan = Work {
        around,
        request: request.clone(),
        needs: request.target.needs(&instances),
        outcome: Outcome {
            instances: BTreeMap::new(),
            failure: None,
        },
        changes: Vec::new(),
    };
    for (cluster, instances) in by_cluster(&instances) {
        around.doing(Doing::Fetching { cluster });
        let branch = remotes::open_to_change(&workspace, &fleet, cluster)?;
        let mut changes = Changes::default();
        let landed = landed::of(&branch, request.id.as_ref())?;
        landed.as_ref().map_or(Ok(()), landed::must_bring_none)?;
        let view = landed::view(&branch, landed.as_ref())?;
        for instance in instances {
            let address = &instance.address;
            let said = match &landed {
                Some(landed) => first(around, request, &branch, landed, address)?,
                None => edit(around, request, &view, address, &author, &mut changes)?,
            };
            plan.outcome.instances.insert(address.to_string(), said);
        }
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
        self.0.needs(|work| &work.needs)
    }

    /// What would become of each instance.
    pub fn outcome(&self) -> &Outcome {
        self.0.shown(|work| &work.outcome)
    }

    /// Writes it, one commit a cluster.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0
            .carry_out(consent, |work, consent, _| work.carry_out(consent))
    }
}

impl Work<'_> {
    fn carry_out(mut self, consent: &Consent) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        let (around, request) = (self.around, &self.request);
        let subject = match &request.change {
            Change::Hold { reason } => {
                format!("Hold: {}", reason.lines().next().unwrap_or_default())
            }
            Change::Unhold => "End holds".to_owned(),
        };
        let mut written = BTreeSet::new();
        for (mut branch, changes) in self.changes {
            let subject = Subject::new(&subject, request.id.as_ref());
            let published = match publish(around, &mut branch, changes, subject) {
                Ok(published) => published,
                // What was pushed to others stays, and must be known.
                Err(error) if !written.is_empty() => {
                    let is_written = |instance: &String| {
                        address(instance).is_ok_and(|address| written.contains(&address.cluster))
                    };
                    self.outcome
                        .instances
                        .retain(|instance, _| is_written(instance));
                    self.outcome.failure = Some(error);
                    break;
                }
                Err(error) => return Err(error),
            };
            written.insert(branch.cluster().to_owned());
            // Others may have changed the same in the moment before: what the branch says counts.
            let landed = match published.landed {
                None if published.pushed => branch.commits(1)?.pop(),
                landed => landed,
            };
            let (view, author) = (branch.view()?, around.author()?.to_string());
            for (instance, said) in &mut self.outcome.instances {
                let address = address(instance)?;
                if address.cluster != branch.cluster() {
                    continue;
                }
                *said = if let Some(landed) = &landed {
                    first(around, request, &branch, landed, &address)?
                } else {
                    let mut changes = Changes::default();
                    edit(around, request, &view, &address, &author, &mut changes)?
                };
            }
        }
        Ok(self.outcome)
    }
}

/// What became of one instance by the commit that carried the request out.
fn first(
    around: &Around,
    request: &Request,
    branch: &DeployBranch,
    landed: &Landed,
    address: &Address,
) -> Result<String> {
    let (before, after) = (branch.view_before(landed)?, branch.view_at(landed.commit)?);
    let held = after.hold(&address.instance)?;
    if held != before.hold(&address.instance)? {
        let author = landed.author.to_string();
        return edit(
            around,
            request,
            &before,
            address,
            &author,
            &mut Changes::default(),
        );
    }
    // The commit left it alone, whatever others did to it meanwhile.
    Ok(match (&request.change, held) {
        (Change::Unhold, _) => NOT_HELD.to_owned(),
        (Change::Hold { .. }, Some(hold)) => held_already(&hold),
        (Change::Hold { .. }, None) => NEVER_RELEASED.to_owned(),
    })
}

const NOT_HELD: &str = "is not held";
const NEVER_RELEASED: &str = "was never released; nothing to hold";

fn held_already(hold: &Hold) -> String {
    format!("is held already: {}", hold.reason)
}

/// What becomes of one instance.
fn edit(
    around: &Around,
    request: &Request,
    view: &View<'_>,
    address: &Address,
    author: &str,
    changes: &mut Changes,
) -> Result<String> {
    let name = &address.instance;
    let held = view.hold(name)?;
    let Change::Hold { reason } = &request.change else {
        return Ok(match held {
            None => NOT_HELD.to_owned(),
            Some(hold) => {
                changes.unhold(name);
                format!("no longer held ({})", hold.reason)
            }
        });
    };
    let Some(running) = view.latest(name)? else {
        return Ok(NEVER_RELEASED.to_owned());
    };
    // A rollback's hold ends by itself when the source changes; this one does not.
    if let Some(hold) = held
        && hold.left.is_empty()
    {
        return Ok(held_already(&hold));
    }
    changes.hold(
        name,
        &Hold {
            version: RECORD_VERSION,
            reason: reason.clone(),
            since: around.now(),
            by: author.to_owned(),
            release: running.release,
            left: Vec::new(),
        },
    );
    Ok(format!("held at {:04}", running.release))
}
