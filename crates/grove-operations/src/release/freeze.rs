//! Freezes: Argo CD leaves instances alone for some time.
//!
//! A freeze is a deny window of the instance's project and annotations of it, by a commit to the deploy
//! branch. Where Git cannot be reached, they are written to the cluster alone. It ends by itself.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, release::freeze, request::Target};
//!
//! let request = freeze::Request {
//!     id: None,
//!     target: Target::of("prod/uni"),
//!     change: freeze::Change::Freeze {
//!         seconds: 4 * 60 * 60,
//!         reason: "A restore".to_owned(),
//!     },
//! };
//! let plan = freeze::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! for row in &outcome.instances {
//!     println!("{}: in Git {}, in the cluster {}", row.instance, row.in_git, row.in_cluster);
//! }
//! # Ok(())
//! # }
//! ```

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use grove_cluster::Connection;
use grove_fleet::{Fleet, model::Instance};
use grove_release::{Changes, DeployBranch, Freeze, Landed, View, thaw};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    landed,
    publish::{Subject, publish},
    remotes,
};
use crate::{
    Around, Doing, Error, Kind, Result,
    consent::{Consent, Needs},
    fleet::{find::find_cluster, workspace::Workspace},
    reach::proven,
    request::{RequestId, Target, by_cluster},
};

/// The longest freeze: what is left alone for longer is held.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(744);
/// The root Application, which brings the projects of instances.
const ROOT: &str = "grove-apps";
/// How long Argo CD may take to bring a freeze to its cluster.
const PATIENCE: Duration = Duration::from_mins(1);
const ROUND: Duration = Duration::from_millis(300);

/// Freezes instances, or ends their freezes.
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

/// What is done with freezes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Change {
    /// Make Argo CD leave instances alone.
    Freeze {
        /// For how long, in seconds: a minute to 31 days.
        seconds: u32,
        /// Why; shown wherever the freeze is.
        reason: String,
    },
    /// End what there is of freezes.
    Unfreeze,
}

/// What became of the instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Until when they are frozen; none where a freeze was ended.
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
    /// Each of them, clusters in the order of their names.
    pub instances: Vec<Row>,
    /// The freeze in words.
    #[serde(skip)]
    pub described: Option<String>,
    /// Why a cluster does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Error>,
}

/// What became of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// `cluster/instance`.
    pub instance: String,
    /// Whether the deploy branch has it.
    pub in_git: bool,
    /// Whether the cluster has it.
    pub in_cluster: bool,
    /// Why nothing was done, where nothing was to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

impl Row {
    fn new(instance: &Instance, skipped: Option<&str>, in_git: bool) -> Self {
        Self {
            instance: instance.address.to_string(),
            in_git: in_git && skipped.is_none(),
            in_cluster: false,
            skipped: skipped.map(str::to_owned),
        }
    }
}

/// What a request would do.
pub struct Plan<'a> {
    around: &'a Around,
    request: Request,
    needs: Needs,
    fleet: Fleet,
    parts: Vec<Part>,
}

/// What is done on one cluster.
struct Part {
    cluster: String,
    /// None ends what there is.
    freeze: Option<Freeze>,
    /// The Application of each row.
    applications: Vec<String>,
    rows: Vec<Row>,
    /// The deploy branch and what changes there, or why it cannot be had.
    git: Result<(DeployBranch, Changes)>,
    /// Whether the request was carried out before.
    is_again: bool,
}

impl Part {
    /// Whether the branch has what the request left there, where it was carried out before.
    fn stands(&self) -> Result<bool> {
        let (true, Ok((branch, _))) = (self.is_again, &self.git) else {
            return Ok(true);
        };
        let view = branch.view()?;
        for row in self.rows.iter().filter(|row| row.skipped.is_none()) {
            if view.freeze(name(row))? != self.freeze {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Reads the fleet and the deploy branches. At night the fleet may have errors that are none of these
/// instances'. A branch that cannot be had is no error here: the cluster may be had all the same.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.target.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let new = match &request.change {
        Change::Unfreeze => None,
        Change::Freeze { seconds, reason } => {
            let time = SignedDuration::from_secs(i64::from(*seconds));
            if time < SignedDuration::from_mins(1) || time > LONGEST {
                return Err(Error::usage(
                    "a freeze lasts a minute at least, and 31 days at most",
                ));
            }
            let by = around.author()?.to_string();
            let freeze = Freeze::new(around.now(), *seconds, reason, &by)
                .ok_or_else(|| Error::usage("the freeze would end beyond all calendars"))?;
            Some(freeze)
        }
    };
    let instances = request.target.choose(&fleet)?;
    let mut parts = Vec::new();
    for (cluster, instances) in by_cluster(&instances) {
        around.doing(Doing::Fetching { cluster });
        let (mut freeze, mut is_again) = (new.clone(), false);
        let branch = remotes::open_to_change(&workspace, &fleet, cluster);
        let read = branch.and_then(|branch| {
            let landed = landed::of(&branch, request.id.as_ref())?;
            landed.as_ref().map_or(Ok(()), landed::must_bring_none)?;
            is_again = landed.is_some();
            let view = landed::view(&branch, landed.as_ref())?;
            let (mut rows, mut changes) = edits(&view, &instances, freeze.as_ref())?;
            if let Some(landed) = &landed {
                changes = Changes::default();
                first(&branch, landed, &mut rows, &mut freeze)?;
            }
            Ok((rows, branch, changes))
        });
        let (rows, git) = match read {
            Ok((rows, branch, changes)) => (rows, Ok((branch, changes))),
            // A site is frozen in its cluster whatever became of its branch.
            Err(error) if error.kind == Kind::Tool || remotes::is_gone(&error) => {
                let rows = instances.iter().map(|one| Row::new(one, None, false));
                (rows.collect(), Err(error))
            }
            Err(error) => return Err(error),
        };
        parts.push(Part {
            cluster: cluster.to_owned(),
            freeze,
            is_again,
            applications: instances
                .iter()
                .map(|instance| instance.address.application())
                .collect(),
            rows,
            git,
        });
    }
    around.progress_done();
    Ok(Plan {
        around,
        request: request.clone(),
        needs: request.target.needs(&instances),
        parts,
        fleet,
    })
}

/// What became of instances by the commit that carried the request out: the freeze is what it was then.
fn first(
    branch: &DeployBranch,
    landed: &Landed,
    rows: &mut [Row],
    freeze: &mut Option<Freeze>,
) -> Result<()> {
    if freeze.is_none() {
        return Ok(());
    }
    let (before, after) = (branch.view_before(landed)?, branch.view_at(landed.commit)?);
    for row in rows {
        let name = name(row).to_owned();
        match after.freeze(&name)? {
            Some(first) if before.freeze(&name)?.as_ref() != Some(&first) => {
                *freeze = Some(first);
                row.skipped = None;
                row.in_git = true;
            }
            // It has a freeze that somebody else made: the request did not mean it then.
            Some(_) => {
                row.skipped = Some(NOT_MEANT.to_owned());
                row.in_git = false;
            }
            // It had no release yet when this was planned.
            None => {
                row.skipped = Some(NEVER_RELEASED.to_owned());
                row.in_git = false;
            }
        }
    }
    Ok(())
}

const NOT_MEANT: &str = "was not meant when this was first asked for: nothing was done";
const NEVER_RELEASED: &str = "was never released: there is nothing to leave alone";

/// The instance's name on its cluster.
fn name(row: &Row) -> &str {
    row.instance.split_once('/').map_or("", |(_, name)| name)
}

/// What becomes of instances on a branch, and what changes there.
fn edits(
    view: &View<'_>,
    instances: &[&Instance],
    freeze: Option<&Freeze>,
) -> Result<(Vec<Row>, Changes)> {
    let mut changes = Changes::default();
    let mut rows = Vec::new();
    for instance in instances {
        let name = &instance.address.instance;
        let apps = view.apps(name)?;
        let mut skipped = None;
        match freeze {
            _ if view.latest(name)?.is_none() => {
                skipped = Some(NEVER_RELEASED);
            }
            Some(freeze) => changes.freeze(name, freeze, &apps),
            None if view.freeze(name)?.is_none() && thaw(&apps, name) == apps => {}
            None => changes.unfreeze(name, &apps),
        }
        rows.push(Row::new(instance, skipped, true));
    }
    Ok((rows, changes))
}

impl Plan<'_> {
    /// What must be agreed to.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Changes the deploy branches, then sees to it that the clusters have it.
    pub fn carry_out(mut self, consent: &Consent) -> Result<Outcome> {
        let _entered = self.around.enter()?;
        self.needs.met_by(consent)?;
        let around = self.around;
        let mut outcome = Outcome {
            until: None,
            instances: Vec::new(),
            described: None,
            failure: None,
        };
        for mut part in std::mem::take(&mut self.parts) {
            let is_in_git = match self.commit(&mut part) {
                Ok(()) => true,
                // A site is frozen in its cluster whatever became of its branch.
                Err(error) if error.kind == Kind::Tool || remotes::is_gone(&error) => {
                    around.progress_done();
                    around.warn(&format!("{error}"));
                    let cluster = &part.cluster;
                    around.note(&format!("it is written to {cluster} itself instead"));
                    if part.freeze.is_none() {
                        around.note("a freeze that the deploy branch has comes back with it: say this again then");
                    }
                    for row in &mut part.rows {
                        row.in_git = false;
                        row.skipped = None;
                    }
                    false
                }
                // What was done on other clusters stays, and must be known.
                Err(error) if !outcome.instances.is_empty() => {
                    outcome.failure = Some(error);
                    break;
                }
                Err(error) => return Err(error),
            };
            let reached = match part.stands() {
                Ok(true) => self.reach(&mut part, is_in_git),
                // Others changed it since: the cluster has what they want.
                Ok(false) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = reached {
                around.progress_done();
                if is_in_git && error.kind != Kind::OutOfTime {
                    around.warn(&format!("{error}"));
                    around.note(
                        "it is in the deploy branch: Argo CD has it when it next looks there",
                    );
                } else {
                    outcome.failure = Some(error);
                }
            }
            // Of a request that was carried out on some clusters before, the freeze that ends first counts.
            if let Some(freeze) = &part.freeze
                && outcome.until.is_none_or(|until| freeze.until < until)
            {
                outcome.until = Some(freeze.until);
                outcome.described = Some(super::frozen::described(freeze));
            }
            outcome.instances.extend(part.rows);
        }
        around.progress_done();
        Ok(outcome)
    }

    /// One commit to the branch of a cluster.
    fn commit(&self, part: &mut Part) -> Result<()> {
        let (branch, changes) = match &mut part.git {
            Ok((branch, changes)) => (branch, std::mem::take(changes)),
            Err(error) => return Err(error.clone()),
        };
        if changes.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = part
            .rows
            .iter()
            .filter(|row| row.skipped.is_none())
            .map(name)
            .collect();
        let names = names.join(", ");
        let subject = match &part.freeze {
            Some(freeze) => {
                let why = freeze.reason.lines().next().unwrap_or_default();
                format!("Freeze {names} until {}: {why}", freeze.until)
            }
            None => format!("End the freeze of {names}"),
        };
        let subject = Subject::new(subject, self.request.id.as_ref());
        let published = publish(self.around, branch, changes, subject)?;
        match &published.landed {
            Some(landed) => {
                landed::must_bring_none(landed)?;
                part.is_again = true;
                first(branch, landed, &mut part.rows, &mut part.freeze)
            }
            None => Ok(()),
        }
    }

    /// Waits until a cluster has what the branch has, or writes it there.
    fn reach(&self, part: &mut Part, is_in_git: bool) -> Result<()> {
        let around = self.around;
        let cluster = find_cluster(&self.fleet, &part.cluster)?;
        around.doing(Doing::Reaching {
            cluster: &cluster.name,
        });
        proven(cluster)?;
        around.block_on(async {
            let connection = around.connect(cluster).await?;
            let argocd = &cluster.argocd_namespace;
            let freeze = part.freeze.as_ref();
            for (row, application) in part.rows.iter_mut().zip(&part.applications) {
                if row.skipped.is_some() {
                    continue;
                }
                around.doing(Doing::Following {
                    what: &row.instance,
                    state: "waiting for Argo CD",
                });
                if is_in_git {
                    self.follow(&connection, argocd, application, freeze)
                        .await?;
                } else {
                    write(&connection, argocd, application, freeze).await?;
                }
                row.in_cluster = true;
            }
            Ok(())
        })
    }

    /// Makes Argo CD look at the branch until the project has the window, or has none.
    async fn follow(
        &self,
        connection: &Connection,
        argocd: &str,
        name: &str,
        freeze: Option<&Freeze>,
    ) -> Result<()> {
        let begun = Instant::now();
        let wanted = freeze.map(Freeze::windows);
        if freeze.is_none() {
            // What was written to the cluster alone, Argo CD leaves there.
            write(connection, argocd, name, freeze).await?;
            connection.refresh(argocd, ROOT).await?;
            tokio::time::sleep(ROUND).await;
        }
        loop {
            if connection.windows(argocd, name).await? == wanted {
                // The window of its project is no reason for Argo CD to look at an Application.
                connection.refresh(argocd, name).await?;
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                return Err(Error::new(
                    Kind::OutOfTime,
                    format!("Argo CD has not brought it to {name} in time"),
                )
                .hint("it is in the deploy branch; `grove status` shows what Argo CD says"));
            }
            connection.refresh(argocd, ROOT).await?;
            tokio::time::sleep(ROUND).await;
        }
    }
}

async fn write(
    connection: &Connection,
    argocd: &str,
    name: &str,
    freeze: Option<&Freeze>,
) -> Result<()> {
    let windows = freeze.map_or(Value::Null, Freeze::windows);
    let mut annotations: BTreeMap<String, Value> = BTreeMap::new();
    match freeze {
        Some(freeze) => {
            annotations.extend(freeze.annotations().map(|(key, value)| (key, value.into())));
        }
        None => annotations.extend(Freeze::keys().map(|key| (key, Value::Null))),
    }
    let annotations = json!(annotations);
    connection
        .write_freeze(argocd, name, &windows, &annotations)
        .await?;
    Ok(())
}
