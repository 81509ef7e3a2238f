//! Releases of what a cluster's instances share: Harmony, its definitions, add-ons.
//!
//! [`plan`] renders it and compares it with what runs; carried out, it is one commit to the cluster's
//! deploy branch, and nothing where nothing changed.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, shared::deploy};
//!
//! let request = deploy::Request {
//!     id: None,
//!     cluster: "prod".to_owned(),
//!     revision: None,
//!     message: None,
//!     local: false,
//!     allow_older: false,
//!     remove: Vec::new(),
//!     create_remote: false,
//!     unhold: false,
//!     wait: Some(600),
//! };
//! let plan = deploy::plan(around, &request, None)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use std::path::Path;

use grove_fleet::model::Cluster;
use grove_release::{
    Changes, DeployBranch, Hold, Id, Origin, RECORD_VERSION, SharedRecord, SharedRelease,
};
use grove_render::SharedTree;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bundle,
    change::SharedChange,
    landed,
    render::{self, Released},
    wait::wait,
};
use crate::{
    Around, Doing, Error, Result,
    consent::{Consent, Need, Needs},
    fleet::{find::find_cluster, origin},
    release::{
        self,
        follow::Waited,
        publish::{Subject, VERSION, publish},
        remotes,
    },
    request::RequestId,
};

/// Releases what a cluster's instances share.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a choice of whoever asks"
)]
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// The cluster's name.
    pub cluster: String,
    /// The fleet's revision; none for the commit of its work tree.
    #[serde(default)]
    pub revision: Option<String>,
    /// What the release is for; stands in its record and in the commit.
    #[serde(default)]
    pub message: Option<String>,
    /// Deploys the work tree as it is; refused where an instance of the cluster is in production.
    #[serde(default)]
    pub local: bool,
    /// Deploys a source that does not descend from the one that runs, too.
    #[serde(default)]
    pub allow_older: bool,
    /// Parts to be taken out of the deploy tree that are no longer in `cluster.yaml`.
    #[serde(default)]
    pub remove: Vec<String>,
    /// Makes the deploy repository where it is missing; it must be a local path.
    #[serde(default)]
    pub create_remote: bool,
    /// Ends a hold that a rollback left.
    #[serde(default)]
    pub unhold: bool,
    /// How many seconds to follow it until it runs; none does not follow it.
    #[serde(default)]
    pub wait: Option<u64>,
}

/// What became of a release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The cluster's name.
    pub cluster: String,
    /// Whether it was only looked at.
    pub dry_run: bool,
    /// The number of the release that the branch has now; none where it has none.
    pub release: Option<u32>,
    /// Whether anything changes.
    pub changed: bool,
    /// Parts that are no longer in `cluster.yaml` and keep running.
    pub kept: Vec<String>,
    /// What changes.
    pub diff: SharedChange,
    /// What became of it in the cluster, where it was followed.
    pub waits: Vec<Waited>,
    /// Where Argo CD is in the cluster.
    #[serde(skip)]
    pub argocd_namespace: String,
}

/// What a request would do.
pub struct Plan<'a> {
    around: &'a Around,
    needs: Needs,
    outcome: Outcome,
    cluster: Cluster,
    branch: DeployBranch,
    /// What is pushed; none where nothing changes.
    release: Option<(u32, Changes, Subject)>,
    /// Whether the deploy repository is made where it is missing.
    create_remote: bool,
    wait: Option<u64>,
}

/// Reads the fleet, renders it and compares it with what runs. `lock` names another bundle than the one
/// that Grove carries.
pub fn plan<'a>(around: &'a Around, request: &Request, lock: Option<&Path>) -> Result<Plan<'a>> {
    let _entered = around.enter()?;
    let (workspace, origin) = origin::read(around, request.local, request.revision.as_deref())?;
    let fleet = workspace.sound()?;
    let cluster = find_cluster(&fleet, &request.cluster)?;
    if request.local {
        let all = fleet.instances.values();
        origin::refuse_production(all.filter(|one| one.address.cluster == cluster.name))?;
    }
    let mut tree = render::render(&workspace, &fleet, cluster, &bundle::open(lock)?)?;
    around.doing(Doing::Fetching {
        cluster: &cluster.name,
    });
    let create = request.create_remote;
    let mut first = Needs::default();
    let branch = remotes::open_to_release(&workspace, &fleet, &cluster.name, create, &mut first)?;
    around.progress_done();
    if let Some(landed) = release::landed::of(&branch, request.id.as_ref())?
        && let Some((record, diff)) = landed::made(&branch, &landed)?
    {
        let is_kept = |part: &&String| !tree.parts.contains_key(*part);
        return Ok(Plan {
            around,
            needs: Needs::default(),
            outcome: Outcome {
                cluster: cluster.name.clone(),
                dry_run: true,
                release: Some(record.release),
                changed: true,
                kept: record.parts.keys().filter(is_kept).cloned().collect(),
                diff,
                waits: Vec::new(),
                argocd_namespace: cluster.argocd_namespace.clone(),
            },
            cluster: cluster.clone(),
            branch,
            release: None,
            create_remote: false,
            wait: request.wait,
        });
    }
    let (running, hold) = (
        branch.view()?.shared_latest()?,
        branch.view()?.shared_hold()?,
    );
    if !request.allow_older {
        let running = running.as_ref().map(|record| &record.source);
        origin::check_order(&workspace, &origin, running)?;
    }
    let before = match &running {
        Some(record) => Released::read(&branch, record)?,
        None => Released::default(),
    };
    refuse_removals(&request.remove, &tree, running.as_ref())?;
    let kept = match &running {
        Some(record) => render::keep(&mut tree, record, &before, &request.remove),
        None => Vec::new(),
    };
    for part in &kept {
        around.warn(&format!(
            "{part} is no longer in `cluster.yaml` and keeps running; `--remove {part}` takes it out of the deploy tree"
        ));
    }
    let after = Released::of(&tree);
    let diff = SharedChange::between(&before, &after);
    if let Some(hold) = &hold
        && !request.unhold
        && !diff.is_empty()
        && stays_held(&branch, hold, &after)?
    {
        return Err(Error::refused(format!(
            "what the instances of {} share is held at {:04}: {}",
            cluster.name, hold.release, hold.reason
        ))
        .hint("a change of `cluster.yaml` ends the hold, or `--unhold`"));
    }
    let running = running.map(|record| record.release);
    let release = if diff.is_empty() {
        None
    } else {
        let number = running.unwrap_or_default() + 1;
        let (mut changes, subject) = release(around, request, number, origin, tree, after)?;
        if hold.is_some() {
            changes.unhold_shared();
        }
        Some((number, changes, subject))
    };
    let mut needs = needs(request, &diff);
    // Where nothing is released, nothing begins.
    needs.extend(first.into_iter().filter(|_| release.is_some()));
    Ok(Plan {
        around,
        needs,
        outcome: Outcome {
            cluster: cluster.name.clone(),
            dry_run: true,
            release: running,
            changed: !diff.is_empty(),
            kept,
            diff,
            waits: Vec::new(),
            argocd_namespace: cluster.argocd_namespace.clone(),
        },
        cluster: cluster.clone(),
        branch,
        release,
        create_remote: request.create_remote,
        wait: request.wait,
    })
}

impl Plan<'_> {
    /// What must be agreed to.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What would become of it.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Releases it, and follows it where that was asked for: what runs already, too.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        let _entered = self.around.enter()?;
        self.needs.met_by(consent)?;
        let Self {
            around,
            mut outcome,
            mut branch,
            ..
        } = self;
        outcome.dry_run = false;
        if self.create_remote {
            remotes::make(around, &branch)?;
        }
        if let Some((number, changes, subject)) = self.release {
            around.doing(Doing::Pushing {
                remote: &branch.remote().to_string(),
            });
            let published = publish(around, &mut branch, changes, subject)?;
            around.progress_done();
            outcome.release = Some(number);
            if let Some(landed) = &published.landed {
                let made = landed::made(&branch, landed)?;
                let made = made.ok_or_else(|| release::landed::something_else(landed))?;
                outcome.release = Some(made.0.release);
                outcome.diff = made.1;
            }
        }
        outcome.waits = wait(around, &branch, &self.cluster, self.wait);
        Ok(outcome)
    }
}

/// A part that is taken out takes its objects along.
fn needs(request: &Request, diff: &SharedChange) -> Needs {
    if request.remove.is_empty() {
        return Needs::default();
    }
    Needs::from_iter([Need::Deletions {
        of: request.cluster.clone(),
        objects: request.remove.clone(),
        summary: diff.summary(),
    }])
}

/// Only a part that runs and is gone from the fleet can be removed.
fn refuse_removals(
    parts: &[String],
    tree: &SharedTree,
    running: Option<&SharedRecord>,
) -> Result<()> {
    for part in parts {
        if tree.parts.contains_key(part) {
            return Err(Error::usage(format!("{part} is still in `cluster.yaml`"))
                .hint("take it out there first"));
        }
        if !running.is_some_and(|record| record.parts.contains_key(part)) {
            return Err(Error::usage(format!("no part `{part}` runs")));
        }
    }
    Ok(())
}

/// Whether a hold stands: until the deploy would bring something else than what was left.
fn stays_held(branch: &DeployBranch, hold: &Hold, after: &Released) -> Result<bool> {
    let view = branch.view()?;
    for left in &hold.left {
        if Released::read(branch, &view.shared_record(*left)?)? == *after {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is pushed of a release, and what its commit says.
fn release(
    around: &Around,
    request: &Request,
    number: u32,
    origin: Origin,
    tree: SharedTree,
    after: Released,
) -> Result<(Changes, Subject)> {
    let message = request.message.as_deref();
    let record = SharedRecord {
        version: RECORD_VERSION,
        release: number,
        time: around.now(),
        author: around.author()?.to_string(),
        message: request.message.clone(),
        source: origin,
        tree: Id::empty_tree(),
        charts: Id::empty_tree(),
        parts: tree.parts,
        forward_only: tree.forward_only,
        rollback_of: None,
        request: request.id.clone(),
        grove: VERSION.to_owned(),
    };
    let subject = message
        .and_then(|message| message.lines().next())
        .map_or_else(
            || format!("Release {number:04} of what instances share"),
            str::to_owned,
        );
    brought(record, after, subject, request.id.as_ref())
}

/// A record with its files as a change of the branch, and what its commit says.
pub(super) fn brought(
    record: SharedRecord,
    after: Released,
    subject: String,
    request: Option<&RequestId>,
) -> Result<(Changes, Subject)> {
    let subject = Subject {
        line: subject,
        request: request.cloned(),
        source: record.source.clone(),
        releases: vec![(landed::SHARED.to_owned(), record.release)],
    };
    let mut changes = Changes::default();
    changes.release_shared(SharedRelease {
        record,
        cluster: after.cluster,
        charts: after.charts,
    })?;
    Ok((changes, subject))
}
