//! What a deploy would do with each instance, before anything is written.

use std::borrow::Cow;

use grove_fleet::model::{Instance, State};
use grove_release::{
    DeployBranch, Freeze, Hold, InitTasks, Objects, Record, compose, compose_without_jobs, diff,
    thaw,
};
use grove_render::Tree;

use super::{Deploy, result::Action};
use crate::{
    commands::init_task,
    data_applied,
    error::{CommandError, Exit, Result},
    freezing, origin,
    output::count,
    own_certificates,
    releasing::{self, Sealed, Sealer},
    report, sharing,
};

/// What a deploy does with one instance.
pub(super) struct Item<'a> {
    pub(super) instance: &'a Instance,
    pub(super) tree: Cow<'a, Tree>,
    pub(super) init: InitTasks,
    pub(super) sealed: Sealed,
    pub(super) running: Option<Record>,
    pub(super) hold: Option<Hold>,
    pub(super) frozen: Option<Freeze>,
    /// Whether there is what is left of a freeze.
    pub(super) has_thawed: bool,
    pub(super) objects: Objects,
    pub(super) diff: grove_release::Diff,
    pub(super) action: Action,
    /// Whether today's ciphertexts are not those of the branch.
    pub(super) resealed: bool,
    /// See [`Record::init_pending`].
    pub(super) init_pending: bool,
}

impl<'a> Deploy<'a> {
    pub(super) fn prepare(
        &self,
        branch: &DeployBranch,
        instance: &'a Instance,
        tree: &'a Tree,
    ) -> Result<Item<'a>> {
        let name = &instance.address.instance;
        let view = branch.view()?;
        let running = view.latest(name)?;
        if !self.arguments.allow_older {
            let running = running.as_ref().map(|record| &record.source);
            origin::check_order(self.workspace, self.origin, running)?;
        }
        let hold = view.hold(name)?;
        let frozen = freezing::in_force(&view, &instance.address)?;
        let before = view.objects(name)?;
        let cluster = self
            .fleet
            .clusters
            .get(&instance.address.cluster)
            .ok_or_else(|| {
                CommandError::new(Exit::Bug, "an instance stands on an unknown cluster")
            })?;
        let sealer = Sealer {
            cluster,
            secrets: &self.secrets,
        };
        sharing::refuse_missing(&view, instance, &tree.needs)?;
        let previous = releasing::ciphertexts(&view, name)?;
        let mut init = running
            .as_ref()
            .map(|record| record.init.clone())
            .unwrap_or_default();
        let tree = init_task::retried(tree, &init);
        let mut sealed = sealer.seal(instance, &tree, previous.as_ref())?;
        init_task::skip(&mut sealed.objects, &mut init);
        let is_operational = self.arguments.only.is_some();
        let was_pending = running.as_ref().is_some_and(|record| record.init_pending);
        let is_stopped = instance.state == State::Stopped;
        let runs_jobs = !is_stopped && (!is_operational || was_pending);
        own_certificates::refuse_mismatch(
            instance,
            &sealed.changed,
            before.as_ref(),
            &self.secrets,
        )?;
        data_applied::refuse_unapplied(&view, instance, &sealed.changed, runs_jobs)?;
        let objects = if runs_jobs {
            compose(sealed.objects.clone(), before.as_ref())
        } else {
            compose_without_jobs(sealed.objects.clone(), before.as_ref())
        };
        if is_operational
            && !runs_jobs
            && !sealed.changed.is_empty()
            && brings_jobs(&sealed.objects, before.as_ref())
        {
            let changed: Vec<&str> = sealed.changed.iter().map(String::as_str).collect();
            self.output.warn(&format!(
                "{}: {} changed, and init tasks that may have to hand it on do not run: a deploy without `--only` runs them",
                instance.address,
                changed.join(", ")
            ));
        }
        let init_pending = !runs_jobs
            && (was_pending || !is_operational && brings_jobs(&sealed.objects, before.as_ref()));
        let action = match &hold {
            // What is operated is what is held.
            Some(hold)
                if !is_operational
                    && Self::stays_held(
                        branch,
                        name,
                        hold,
                        &tree,
                        &instance.identity.namespace,
                    )? =>
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
        let resealed = previous.as_ref() != Some(&sealed.ciphertexts);
        Ok(Item {
            instance,
            tree,
            init,
            sealed,
            running,
            hold,
            has_thawed: frozen.is_none() && view.freeze(name)?.is_some(),
            frozen,
            objects,
            diff,
            action,
            resealed,
            init_pending,
        })
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
            if releasing::is_same_but_values(&left, tree, namespace)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn confirm_deletions(
        &self,
        prepared: &[(DeployBranch, Vec<Item<'_>>)],
    ) -> Result<usize> {
        let mut total = 0;
        let mut reasons = Vec::new();
        for item in prepared.iter().flat_map(|(_, items)| items) {
            if item.action != Action::Released {
                continue;
            }
            let deletions = &item.diff.deletions;
            if deletions.need_confirmation() {
                total += deletions.count();
                reasons.push(format!(
                    "{}: {}",
                    item.instance.address,
                    report::summary(&item.diff)
                ));
            }
        }
        if total == 0 || self.arguments.dry_run || self.arguments.confirm_deletes == Some(total) {
            return Ok(total);
        }
        let mut error = CommandError::refused(match self.arguments.confirm_deletes {
            Some(stated) => {
                let verb = if stated == 1 { "was" } else { "were" };
                format!(
                    "{} {verb} confirmed, this deploy makes {total}",
                    count(stated, "deletion")
                )
            }
            None => format!("this deploy deletes {}", count(total, "object")),
        });
        error.messages.extend(reasons);
        Err(error.hint(format!("if that is meant, say `--confirm-deletes {total}`")))
    }
}

/// Whether there is a Job among new objects that the running release does not have.
fn brings_jobs(new: &Objects, running: Option<&Objects>) -> bool {
    new.iter().any(|(file, object)| {
        object.get("kind").is_some_and(|kind| kind == "Job")
            && running.is_none_or(|running| !running.contains_key(file))
    })
}
