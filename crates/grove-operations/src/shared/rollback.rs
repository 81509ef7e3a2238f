//! Rollbacks of what a cluster's instances share: an older release's files come back as a new release, and
//! it is held there. Nothing is rendered.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, shared::rollback};
//!
//! let request = rollback::Request {
//!     id: None,
//!     cluster: "prod".to_owned(),
//!     revision: None,
//!     from: None,
//!     to: None,
//!     message: None,
//!     wait: Some(600),
//! };
//! let plan = rollback::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use grove_fleet::model::Cluster;
use grove_release::{
    Changes, DeployBranch, Hold, Landed, RECORD_VERSION, SharedRecord, forward_only,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{change::SharedChange, deploy::brought, landed, render::Released, wait::wait};
use crate::{
    Around, Doing, Error, Result,
    consent::{Consent, Needs},
    fleet::{find::find_cluster, workspace::Workspace},
    release::{
        self,
        again::{Again, Brought},
        follow::Waited,
        publish::{Subject, VERSION, publish},
        remotes,
        rollback::before,
    },
    request::RequestId,
};

/// Rolls back what a cluster's instances share.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// The cluster's name.
    pub cluster: String,
    /// The fleet's revision; none for the files of its work tree.
    #[serde(default)]
    pub revision: Option<String>,
    /// The release that is left: where another runs, it is refused, and where a rollback left it already, nothing
    /// is done. None leaves what runs, unless that was brought by a rollback whose hold stands.
    #[serde(default)]
    pub from: Option<u32>,
    /// The release to go back to; none for the one before the running one.
    #[serde(default)]
    pub to: Option<u32>,
    /// Why; stands in the hold, the record and the commit.
    #[serde(default)]
    pub message: Option<String>,
    /// How many seconds to follow it until it runs; none does not follow it.
    #[serde(default)]
    pub wait: Option<u64>,
}

/// What became of a rollback.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The cluster's name.
    pub cluster: String,
    /// The release that is left.
    pub from: u32,
    /// The release whose files come back.
    pub to: u32,
    /// The release that brings them.
    pub release: u32,
    /// Whether it was only looked at.
    pub dry_run: bool,
    /// Whether a rollback before this one did the same: then nothing is written.
    #[serde(default)]
    pub repeated: bool,
    /// What changes.
    pub diff: SharedChange,
    /// What became of it in the cluster, where it was followed.
    pub waits: Vec<Waited>,
}

/// What a request would do.
pub struct Plan<'a> {
    around: &'a Around,
    needs: Needs,
    outcome: Outcome,
    cluster: Cluster,
    branch: DeployBranch,
    changes: Changes,
    subject: Subject,
    wait: Option<u64>,
}

/// Reads the fleet and the deploy branch. What else is wrong with the fleet is no reason not to go back.
/// Charts that bring custom resource definitions go forward only: an older version of one is refused.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let cluster = find_cluster(&fleet, &request.cluster)?;
    around.doing(Doing::Fetching {
        cluster: &cluster.name,
    });
    let branch = remotes::open_to_change(&workspace, &fleet, &cluster.name)?;
    around.progress_done();
    let done = match release::landed::of(&branch, request.id.as_ref())? {
        Some(landed) => {
            let outcome = first(&branch, &landed)?;
            Some(outcome.ok_or_else(|| release::landed::something_else(&landed))?)
        }
        None => again(request, &branch)?
            .is_it(&format!("what the instances of {} share", cluster.name))?
            .map(|brought| repeated(&branch, brought))
            .transpose()?,
    };
    let nothing = |outcome, branch| Plan {
        around,
        needs: Needs::default(),
        outcome,
        cluster: cluster.clone(),
        branch,
        changes: Changes::default(),
        subject: Subject::default(),
        wait: request.wait,
    };
    if let Some(outcome) = done {
        return Ok(nothing(outcome, branch));
    }
    let (running, older) = releases(request, &branch)?;
    refuse_older_definitions(&running, &older)?;
    let after = Released::read(&branch, &older)?;
    let diff = SharedChange::between(&Released::read(&branch, &running)?, &after);
    if diff.is_empty()
        && let Again::Wanted(brought) = again(request, &branch)?
    {
        let outcome = repeated(&branch, brought)?;
        return Ok(nothing(outcome, branch));
    }
    let (from, to, release) = (running.release, older.release, running.release + 1);
    let reason = request
        .message
        .clone()
        .unwrap_or_else(|| format!("rolled back from {from:04} to {to:04}"));
    let record = SharedRecord {
        version: RECORD_VERSION,
        release,
        time: around.now(),
        author: around.author()?.to_string(),
        message: Some(reason.clone()),
        rollback_of: Some(to),
        request: request.id.clone(),
        grove: VERSION.to_owned(),
        // The order of sources goes on from the release that is left.
        source: running.source,
        ..older
    };
    let held = branch.view()?.shared_hold()?;
    let mut left = held.map(|hold| hold.left).unwrap_or_default();
    left.push(from);
    let hold = Hold {
        version: RECORD_VERSION,
        reason,
        since: record.time,
        by: record.author.clone(),
        release,
        left,
    };
    let subject = format!("Roll what instances share back to {to:04}");
    let (mut changes, subject) = brought(record, after, subject, request.id.as_ref())?;
    changes.hold_shared(&hold);
    Ok(Plan {
        around,
        needs: Needs::default(),
        outcome: Outcome {
            cluster: cluster.name.clone(),
            from,
            to,
            release,
            dry_run: true,
            repeated: false,
            diff,
            waits: Vec::new(),
        },
        cluster: cluster.clone(),
        branch,
        changes,
        subject,
        wait: request.wait,
    })
}

impl Plan<'_> {
    /// What must be agreed to: nothing.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What would become of it.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Releases it, and follows it where that was asked for.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        let _entered = self.around.enter()?;
        self.needs.met_by(consent)?;
        let Self {
            around,
            mut outcome,
            mut branch,
            ..
        } = self;
        if !self.changes.is_empty() {
            around.doing(Doing::Pushing {
                remote: &branch.remote().to_string(),
            });
            let published = publish(around, &mut branch, self.changes, self.subject)?;
            around.progress_done();
            if let Some(landed) = &published.landed {
                let first = first(&branch, landed)?;
                outcome = first.ok_or_else(|| release::landed::something_else(landed))?;
            }
        }
        outcome.dry_run = false;
        outcome.waits = wait(around, &branch, &self.cluster, self.wait);
        Ok(outcome)
    }
}

/// The outcome of a rollback that a commit carried out.
fn first(branch: &DeployBranch, landed: &Landed) -> Result<Option<Outcome>> {
    let made = landed::made(branch, landed)?;
    Ok(made.map(|(record, diff)| Outcome {
        cluster: branch.cluster().to_owned(),
        from: record.release.saturating_sub(1),
        to: record.rollback_of.unwrap_or_default(),
        release: record.release,
        dry_run: true,
        repeated: false,
        diff,
        waits: Vec::new(),
    }))
}

/// What this rollback is beside the one that runs, if one does.
fn again(request: &Request, branch: &DeployBranch) -> Result<Again> {
    let view = branch.view()?;
    let history: Vec<(u32, Option<u32>)> = view
        .shared_history()?
        .iter()
        .map(|record| (record.release, record.rollback_of))
        .collect();
    let hold = view.shared_hold()?;
    Ok(Again::of(&history, hold.as_ref(), request.from, request.to))
}

/// The outcome of a rollback that was made before.
fn repeated(branch: &DeployBranch, brought: Brought) -> Result<Outcome> {
    let view = branch.view()?;
    let (left, back) = (
        view.shared_record(brought.left)?,
        view.shared_record(brought.release)?,
    );
    Ok(Outcome {
        cluster: branch.cluster().to_owned(),
        from: brought.left,
        to: brought.of,
        release: brought.release,
        dry_run: true,
        repeated: true,
        diff: SharedChange::between(
            &Released::read(branch, &left)?,
            &Released::read(branch, &back)?,
        ),
        waits: Vec::new(),
    })
}

/// Which release is left, and which one comes back.
fn releases(request: &Request, branch: &DeployBranch) -> Result<(SharedRecord, SharedRecord)> {
    let view = branch.view()?;
    let cluster = &request.cluster;
    let history = view.shared_history()?;
    let numbers: Vec<(u32, Option<u32>)> = history
        .iter()
        .map(|record| (record.release, record.rollback_of))
        .collect();
    let running = history.into_iter().next().ok_or_else(|| {
        Error::usage(format!("{cluster} has no release of its own yet"))
            .hint("`grove cluster deploy` makes its first one")
    })?;
    let number = match request.to {
        Some(number) => number,
        None => before(&numbers).ok_or_else(|| {
            Error::refused(format!(
                "there is no release before {:04} that was not left by a rollback",
                running.release
            ))
        })?,
    };
    if let Some(from) = request.from
        && from != running.release
    {
        return Err(Error::refused(format!(
            "{cluster} runs release {:04}, and {from:04} was to be left",
            running.release
        ))
        .hint("look at what runs now, and ask again"));
    }
    let older = view.shared_record(number)?;
    if older.release == running.release {
        return Err(Error::refused(format!(
            "{cluster} runs release {:04} already",
            older.release
        )));
    }
    Ok((running, older))
}

/// An older chart would take custom resource definitions back, and with them what is stored in the
/// newer form.
fn refuse_older_definitions(running: &SharedRecord, older: &SharedRecord) -> Result<()> {
    let crossed = forward_only(&running.forward_only, &older.forward_only);
    if crossed.is_empty() {
        return Ok(());
    }
    let mut error = Error::refused(format!(
        "release {:04} has an older version of what brings custom resource definitions",
        older.release
    ));
    error.messages.extend(
        crossed
            .iter()
            .map(|crossed| format!("{}: {} → {}", crossed.mark, crossed.from, crossed.to)),
    );
    Err(error.hint("such parts go forward only: mend the values in `cluster.yaml` and deploy"))
}
