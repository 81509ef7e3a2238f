//! What a deploy would do with each instance, before anything is written.

use grove_fleet::{
    Fleet,
    model::{Distribution, Instance, State},
};
use grove_release::{
    DeployBranch, Diff, DistributionRef, Hold, Id, Objects, Origin, RECORD_VERSION, Record,
    Release, compose, compose_without_jobs, diff, thaw,
};
use grove_render::Tree;
use serde_json::Value;

use super::{
    outcome::{Action, Row},
    request::{Only, Request},
};
use crate::{
    Error, Kind, Result,
    consent::Need,
    fleet::{origin, workspace::Workspace},
    release::{
        data_applied, difference, frozen, init_task,
        publish::VERSION,
        seal::{self, Sealer},
    },
    secrets::{open::Secrets, own_certificates},
    shared,
};

/// What a deploy does with one instance.
pub(super) struct Item {
    /// What becomes of it; without the commit.
    pub(super) row: Row,
    /// What is written.
    pub(super) change: Change,
}

/// What is written of one instance.
pub(super) enum Change {
    /// A release.
    Release {
        /// With the time at which it was prepared.
        release: Box<Release>,
        /// Whether there is a hold, which is over with it.
        ends_hold: bool,
    },
    /// No release; often nothing at all.
    Note {
        /// The instance's name on its cluster.
        instance: String,
        /// Its files in `apps/`, where there is what is left of a freeze: it would be in force again in a
        /// year.
        thawed: Option<Objects>,
        /// Its ciphertexts, where they are of the same values from files that were encrypted anew: the
        /// next deploy needs no key.
        sealed: Option<Value>,
    },
}

/// What instances are prepared from.
pub(super) struct Preparing<'a> {
    pub(super) workspace: &'a Workspace<'a>,
    pub(super) fleet: &'a Fleet,
    pub(super) origin: &'a Origin,
    pub(super) secrets: &'a Secrets<'a>,
    pub(super) request: &'a Request,
    /// Who releases, as `Name <address>`.
    pub(super) author: String,
}

impl Preparing<'_> {
    /// Prepares one instance, and says what must be agreed to.
    pub(super) fn item(
        &self,
        branch: &DeployBranch,
        instance: &Instance,
        tree: &Tree,
    ) -> Result<(Item, Option<Need>)> {
        let around = self.workspace.around;
        let name = &instance.address.instance;
        let view = branch.view()?;
        let running = view.latest(name)?;
        if !self.request.allow_older {
            let running = running.as_ref().map(|record| &record.source);
            origin::check_order(self.workspace, self.origin, running)?;
        }
        let hold = view.hold(name)?;
        let frozen = frozen::in_force(&view, &instance.address, around.now())?;
        let has_thawed = frozen.is_none() && view.freeze(name)?.is_some();
        let before = view.objects(name)?;
        let cluster = self
            .fleet
            .clusters
            .get(&instance.address.cluster)
            .ok_or_else(|| Error::new(Kind::Bug, "an instance stands on an unknown cluster"))?;
        let sealer = Sealer {
            cluster,
            secrets: self.secrets,
        };
        shared::render::refuse_missing(&view, instance, &tree.needs)?;
        let previous = seal::ciphertexts(&view, name)?;
        let mut init = running
            .as_ref()
            .map(|record| record.init.clone())
            .unwrap_or_default();
        let tree = init_task::retried(tree, &init);
        let mut sealed = sealer.seal(instance, &tree, previous.as_ref())?;
        init_task::skip(&mut sealed.objects, &mut init);
        let is_operational = self.request.only.is_some();
        let was_pending = running.as_ref().is_some_and(|record| record.init_pending);
        let is_stopped = instance.state == State::Stopped;
        let runs_jobs = !is_stopped && (!is_operational || was_pending);
        own_certificates::refuse_mismatch(
            instance,
            &sealed.changed,
            before.as_ref(),
            self.secrets,
        )?;
        data_applied::refuse_unapplied(&view, instance, &sealed.changed, runs_jobs)?;
        let brings_jobs = brings_jobs(&sealed.objects, before.as_ref());
        let objects = if runs_jobs {
            compose(sealed.objects, before.as_ref())
        } else {
            compose_without_jobs(sealed.objects, before.as_ref())
        };
        if is_operational && !runs_jobs && !sealed.changed.is_empty() && brings_jobs {
            let changed: Vec<&str> = sealed.changed.iter().map(String::as_str).collect();
            around.warn(&format!(
                "{}: {} changed, and init tasks that may have to hand it on do not run: a deploy without `--only` runs them",
                instance.address,
                changed.join(", ")
            ));
        }
        let init_pending = !runs_jobs && (was_pending || !is_operational && brings_jobs);
        let action = match &hold {
            // What is operated is what is held.
            Some(hold)
                if !is_operational
                    && stays_held(branch, name, hold, &tree, &instance.identity.namespace)? =>
            {
                Action::Held
            }
            _ if running.is_some()
                && before.as_ref() == Some(&objects)
                && thaw(&view.apps(name)?, name) == tree.apps =>
            {
                Action::Unchanged
            }
            _ if frozen.is_some() => Action::Frozen,
            _ => Action::Released,
        };
        let diff = diff(&before.unwrap_or_default(), &objects);
        let number = running.as_ref().map_or(1, |record| record.release + 1);
        let row = Row {
            instance: instance.address.to_string(),
            action,
            release: match action {
                Action::Released => Some(number),
                _ => running.as_ref().map(|record| record.release),
            },
            commit: None,
            added: diff.added.len(),
            changed: diff.changed.len(),
            removed: diff.removed.len(),
            secrets: sealed.changed,
            reason: match action {
                Action::Released => None,
                Action::Frozen => frozen.as_ref().map(frozen::described),
                _ => hold.as_ref().map(|hold| hold.reason.clone()),
            },
        };
        let today = seal::ciphertexts_value(&sealed.ciphertexts)?;
        if action != Action::Released {
            let is_unchanged = action == Action::Unchanged;
            let is_resealed = previous.as_ref() != Some(&sealed.ciphertexts);
            let change = Change::Note {
                instance: name.clone(),
                thawed: (is_unchanged && has_thawed).then(|| tree.apps.clone()),
                sealed: (is_unchanged && is_resealed).then_some(today),
            };
            return Ok((Item { row, change }, None));
        }
        let record = Record {
            version: RECORD_VERSION,
            instance: name.clone(),
            identity: Some(instance.identity.clone()),
            release: number,
            time: around.now(),
            author: self.author.clone(),
            message: self.request.message.clone(),
            source: self.origin.clone(),
            operational: None,
            tree: Id::empty_tree(),
            apps: None,
            distribution: distribution(self.fleet, instance),
            images: tree.images.clone(),
            secrets: tree.secrets.clone(),
            scan: sealed.scan,
            marks: tree.marks.clone(),
            init_pending,
            init,
            rollback_of: None,
            request: self.request.id.clone(),
            grove: VERSION.to_owned(),
        };
        let record = match (running, self.request.only) {
            (Some(running), Some(Only::Operational)) => Record {
                source: running.source,
                operational: Some(self.origin.clone()),
                distribution: running.distribution,
                rollback_of: running.rollback_of,
                ..record
            },
            _ => record,
        };
        let need = need(&row.instance, &diff);
        let change = Change::Release {
            release: Box::new(Release {
                record,
                objects,
                apps: tree.apps.clone(),
                sealed: Some(today),
            }),
            ends_hold: hold.is_some() && !is_operational,
        };
        Ok((Item { row, change }, need))
    }
}

/// Whether a hold stands: one by hand always does, one of a rollback until the deploy would
/// bring something else than what was left. Values of secrets do not count: a rotation is no
/// reason to ship again what was left.
fn stays_held(
    branch: &DeployBranch,
    instance: &str,
    hold: &Hold,
    tree: &Tree,
    namespace: &str,
) -> Result<bool> {
    if hold.left.is_empty() {
        return Ok(true);
    }
    let view = branch.view()?;
    for left in &hold.left {
        let left = branch.objects_of(view.record(instance, *left)?.tree)?;
        if seal::is_same_but_values(&left, tree, namespace)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether there is a Job among new objects that the running release does not have.
fn brings_jobs(new: &Objects, running: Option<&Objects>) -> bool {
    new.iter().any(|(file, object)| {
        object.get("kind").is_some_and(|kind| kind == "Job")
            && running.is_none_or(|running| !running.contains_key(file))
    })
}

/// Consent to what goes, where that is needed. As many names as are counted: objects, but for Jobs, and
/// hosts.
fn need(instance: &str, diff: &Diff) -> Option<Need> {
    let deletions = &diff.deletions;
    if !deletions.need_confirmation() {
        return None;
    }
    let counted = diff.removed.iter().filter(|object| object.kind != "Job");
    let hosts = deletions.hosts.iter().map(|host| format!("host {host}"));
    Some(Need::Deletions {
        of: instance.to_owned(),
        objects: counted.map(ToString::to_string).chain(hosts).collect(),
        summary: difference::summary(diff),
    })
}

/// The distribution of an instance, as its record names it.
fn distribution(fleet: &Fleet, instance: &Instance) -> DistributionRef {
    let distribution = fleet.distributions.get(&instance.distribution);
    DistributionRef {
        name: instance.distribution.clone(),
        input: distribution.map(Distribution::input).unwrap_or_default(),
        lock: distribution
            .and_then(|distribution| distribution.lock.as_ref())
            .map(|lock| lock.digest.clone())
            .unwrap_or_default(),
    }
}
