//! Init tasks of instances that run: one runs again, or is gone on without.
//!
//! Both are releases over the one that runs: nothing else of the fleet is shipped, and a held instance
//! stays held.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, release::init, request::Target};
//!
//! let request = init::Request {
//!     id: None,
//!     target: Target::of("prod/uni"),
//!     task: "lms".to_owned(),
//!     change: init::Change::Retry,
//!     message: None,
//!     wait: Some(600),
//! };
//! let plan = init::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use std::time::Duration;

use grove_fleet::{Address, Fleet, model::Instance, near::nearest};
use grove_release::{
    Changes, DeployBranch, Hold, Id, Landed, Objects, Record, Release, compose, diff,
};
use grove_render::annotations;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    difference,
    follow::{self, Waited},
    frozen,
    init_task::{annotate, annotation},
    landed,
    publish::{Subject, VERSION, publish},
    remotes,
    seal::{self, Sealer},
};
use crate::{
    Around, Doing, Error, Result,
    consent::{Consent, Needs},
    fleet::{
        find::{address, find, find_cluster},
        workspace::Workspace,
    },
    request::{RequestId, Target, by_cluster},
    secrets::open::Secrets,
};

/// Marks a Job of a release that a rollback left.
const LEFT_RELEASE: &str = "grove-platform.org/left-release";

/// Changes an init task of instances.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Which instances.
    pub target: Target,
    /// The task, such as `lms-migrate`: its Job's name without the hash.
    pub task: String,
    /// What is done with it.
    pub change: Change,
    /// Why; stands in the records and the commits.
    #[serde(default)]
    pub message: Option<String>,
    /// How many seconds to follow the releases until they run; none does not follow them.
    #[serde(default)]
    pub wait: Option<u64>,
}

/// What is done with an init task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Its Job gets another name, so that it runs again.
    Retry,
    /// Its Job is dropped until its text or image is another.
    Skip,
}

impl Change {
    fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
        }
    }
}

/// What became of the task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The task.
    pub task: String,
    /// Each instance. Where one cluster failed, those on the clusters before it.
    pub instances: Vec<Row>,
    /// What became of the releases in their clusters, where they were followed.
    pub waits: Vec<Waited>,
    /// Why a cluster got nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Error>,
}

/// What became of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// `cluster/instance`.
    pub instance: String,
    /// The release that brings it.
    pub release: u32,
    /// How much changes, in a line.
    #[serde(skip)]
    pub summary: String,
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
    branch: DeployBranch,
    changes: Changes,
    subject: Subject,
    rows: Vec<Row>,
}

/// Reads the fleet and the deploy branches, and seals what comes. What else is wrong with the fleet is no
/// reason not to go on.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.target.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let instances = request.target.choose(&fleet)?;
    let needs = request.target.needs(&instances);
    let secrets = Secrets::new(&workspace, &fleet);
    let mut parts = Vec::new();
    for (cluster, instances) in by_cluster(&instances) {
        around.doing(Doing::Fetching { cluster });
        let branch = remotes::open_to_change(&workspace, &fleet, cluster)?;
        around.progress_done();
        parts.push(part(
            &workspace, &fleet, &secrets, request, branch, &instances,
        )?);
    }
    drop(secrets);
    Ok(Plan {
        around,
        request: request.clone(),
        needs,
        fleet,
        parts,
    })
}

fn part(
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    secrets: &Secrets<'_>,
    request: &Request,
    branch: DeployBranch,
    instances: &[&Instance],
) -> Result<Part> {
    let mut part = Part {
        changes: Changes::default(),
        subject: Subject::default(),
        rows: Vec::new(),
        branch,
    };
    if let Some(landed) = landed::of(&part.branch, request.id.as_ref())? {
        for instance in instances {
            part.rows
                .extend(first(&part.branch, &landed, &instance.address)?);
        }
        if part.rows.is_empty() {
            return Err(landed::something_else(&landed));
        }
        return Ok(part);
    }
    let reason = request
        .message
        .clone()
        .unwrap_or_else(|| format!("{} {}", request.change.name(), request.task));
    for instance in instances {
        let made = release(
            workspace,
            fleet,
            secrets,
            request,
            &reason,
            &part.branch,
            instance,
        );
        let made = made.map_err(|error| error.context(instance.address.to_string()))?;
        let (name, number) = (
            made.release.record.instance.clone(),
            made.release.record.release,
        );
        part.subject.source = made.release.record.source.clone();
        part.changes.release(made.release)?;
        if let Some(hold) = made.hold {
            let release = number;
            part.changes.hold(&name, &Hold { release, ..hold });
        }
        part.subject.releases.push((name, number));
        part.rows.push(Row {
            instance: instance.address.to_string(),
            release: number,
            summary: made.summary,
        });
    }
    let names: Vec<String> = part
        .subject
        .releases
        .iter()
        .map(|(name, number)| format!("{name} {number:04}"))
        .collect();
    part.subject.line = format!(
        "{}: {}",
        names.join(", "),
        reason.lines().next().unwrap_or_default()
    );
    part.subject.request.clone_from(&request.id);
    if names.len() > 1 {
        // Of several instances each record says where it is from.
        part.subject.source = grove_release::Origin::default();
    }
    Ok(part)
}

/// What became of an instance by the commit that carried the request out; none where it brought no release.
fn first(branch: &DeployBranch, landed: &Landed, address: &Address) -> Result<Option<Row>> {
    let made = landed::made(branch, landed, address)?;
    Ok(made.map(|made| Row {
        instance: address.to_string(),
        release: made.record.release,
        summary: difference::summary(&made.diff),
    }))
}

/// A release of one instance that is to be made.
struct Making {
    release: Release,
    /// The hold that goes on.
    hold: Option<Hold>,
    summary: String,
}

/// One instance with the task asked for again, or without it.
fn release(
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    secrets: &Secrets<'_>,
    request: &Request,
    reason: &str,
    branch: &DeployBranch,
    instance: &Instance,
) -> Result<Making> {
    let around = workspace.around;
    let address = &instance.address;
    let name = &address.instance;
    let cluster = find_cluster(fleet, &address.cluster)?;
    let view = branch.view()?;
    frozen::refuse_frozen(&view, address, around.now())?;
    let never = || Error::usage(format!("{address} was never released"));
    let running = view.latest(name)?.ok_or_else(never)?;
    let before = view.objects(name)?.ok_or_else(never)?;

    let mut init = running.init.clone();
    let mut objects = before.clone();
    let file = job_of(&objects, &request.task)?;
    match request.change {
        Change::Retry => {
            let count = init.retried.entry(request.task.clone()).or_default();
            *count += 1;
            if let Some(job) = objects.get_mut(&file) {
                annotate(job, *count);
            }
        }
        Change::Skip => {
            if let Some(job) = objects.remove(&file) {
                let job = job.pointer("/metadata/name").and_then(Value::as_str);
                init.skipped
                    .insert(request.task.clone(), job.unwrap_or_default().to_owned());
            }
        }
    }
    let previous = seal::ciphertexts(&view, name)?;
    let sealed = Sealer { cluster, secrets }.seal_again(
        instance,
        &running.secrets,
        &objects,
        previous.as_ref(),
    )?;
    let objects = compose(sealed.objects, Some(&before));
    let summary = difference::summary(&diff(&before, &objects));
    let record = Record {
        release: running.release + 1,
        time: around.now(),
        author: around.author()?.to_string(),
        message: Some(reason.to_owned()),
        tree: Id::empty_tree(),
        scan: sealed.scan,
        init,
        request: request.id.clone(),
        grove: VERSION.to_owned(),
        ..running
    };
    Ok(Making {
        release: Release {
            record,
            objects,
            apps: view.apps(name)?,
            sealed: Some(seal::ciphertexts_value(&sealed.ciphertexts)?),
        },
        hold: view.hold(name)?,
        summary,
    })
}

impl Plan<'_> {
    /// What must be agreed to.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Releases it, one commit a cluster, and follows the releases where that was asked for.
    pub fn carry_out(mut self, consent: &Consent) -> Result<Outcome> {
        let _entered = self.around.enter()?;
        self.needs.met_by(consent)?;
        let mut outcome = Outcome {
            task: self.request.task.clone(),
            instances: Vec::new(),
            waits: Vec::new(),
            failure: None,
        };
        let parts = std::mem::take(&mut self.parts);
        let mut followed = Vec::new();
        outcome.failure = self.write(parts, &mut outcome, &mut followed).err();
        // What was pushed is followed, whatever became of the rest.
        if let Some(seconds) = self.request.wait {
            let limit = Duration::from_secs(seconds);
            outcome.waits = follow::follow(self.around, limit, &self.fleet.clusters, &followed);
        }
        Ok(outcome)
    }

    fn write(
        &self,
        parts: Vec<Part>,
        outcome: &mut Outcome,
        followed: &mut Vec<follow::Release>,
    ) -> Result<()> {
        let around = self.around;
        for mut part in parts {
            if !part.changes.is_empty() {
                around.doing(Doing::Pushing {
                    remote: &part.branch.remote().to_string(),
                });
                let published = publish(around, &mut part.branch, part.changes, part.subject)?;
                around.progress_done();
                if let Some(landed) = published.landed {
                    // With another fleet it may have been of fewer instances.
                    let mut rows = Vec::new();
                    for row in &part.rows {
                        rows.extend(first(&part.branch, &landed, &address(&row.instance)?)?);
                    }
                    if rows.is_empty() {
                        return Err(landed::something_else(&landed));
                    }
                    part.rows = rows;
                }
            }
            outcome.instances.extend(part.rows.iter().cloned());
            if let (Some(tip), Some(_)) = (part.branch.tip(), self.request.wait) {
                for row in &part.rows {
                    let address = address(&row.instance)?;
                    let instance = find(&self.fleet, &address)?;
                    followed.push(follow::Release::new(&part.branch, instance, tip)?);
                }
            }
        }
        Ok(())
    }
}

/// The file of the Job of a task.
fn job_of(objects: &Objects, task: &str) -> Result<String> {
    let jobs: Vec<(&String, &str)> = objects
        .iter()
        .filter(|(_, object)| object["kind"] == "Job" && annotation(object, LEFT_RELEASE).is_none())
        .filter_map(|(file, object)| Some((file, annotation(object, annotations::NAME)?)))
        .collect();
    if let Some((file, _)) = jobs.iter().find(|(_, name)| *name == task) {
        return Ok((*file).clone());
    }
    let names: Vec<&str> = jobs.iter().map(|(_, name)| *name).collect();
    let error = Error::usage(format!("the release that runs has no init task `{task}`"));
    Err(error.hint(match nearest(task, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has: {}", names.join(", ")),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unknown_task_gets_a_near_name() {
        let job = json!({
            "kind": "Job",
            "metadata": {"name": "lms-migrate-1", "annotations": {annotations::NAME: "lms-migrate"}},
        });
        let objects = Objects::from([("a".to_owned(), job)]);
        let error = job_of(&objects, "lms-migrat").unwrap_err();
        assert_eq!(error.hints, ["did you mean `lms-migrate`?"]);
    }
}
