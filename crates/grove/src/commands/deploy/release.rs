//! The commit of a cluster's releases.

use grove_fleet::{
    Fleet,
    model::{Distribution, Instance},
};
use grove_release::{
    Changes, DeployBranch, DistributionRef, Draft, Id, Message, RECORD_VERSION, Record, Release,
    refuse,
};

use super::{
    Deploy, Only,
    prepare::Item,
    result::{Action, Row},
};
use crate::{error::Result, freezing, releasing, surroundings};

impl Deploy<'_> {
    /// Commits what was prepared for one cluster, and says what became of each instance.
    pub(super) fn release(
        &self,
        branch: &mut DeployBranch,
        items: Vec<Item<'_>>,
    ) -> Result<Vec<Row>> {
        let time = surroundings::now()?;
        let author = releasing::author(self.workspace)?;
        let grove = env!("CARGO_PKG_VERSION").to_owned();
        let mut changes = Changes::default();
        let mut releases = Vec::new();
        let mut rows = Vec::new();
        for item in items {
            let name = item.instance.address.instance.clone();
            let number = item.running.as_ref().map_or(1, |record| record.release + 1);
            let mut row = Row {
                instance: item.instance.address.to_string(),
                action: item.action,
                release: item.running.as_ref().map(|record| record.release),
                commit: None,
                added: item.diff.added.len(),
                changed: item.diff.changed.len(),
                removed: item.diff.removed.len(),
                secrets: item.sealed.changed.clone(),
                reason: match item.action {
                    Action::Frozen => item.frozen.as_ref().map(freezing::described),
                    _ => item.hold.as_ref().map(|hold| hold.reason.clone()),
                },
            };
            if item.action == Action::Released {
                let record = Record {
                    version: RECORD_VERSION,
                    instance: name.clone(),
                    identity: Some(item.instance.identity.clone()),
                    release: number,
                    time,
                    author: format!("{} <{}>", author.name, author.email),
                    message: self.arguments.message.clone(),
                    source: self.origin.clone(),
                    operational: None,
                    tree: Id::empty_tree(),
                    apps: None,
                    distribution: distribution(self.fleet, item.instance),
                    images: item.tree.images.clone(),
                    secrets: item.tree.secrets.clone(),
                    scan: item.sealed.scan,
                    marks: item.tree.marks.clone(),
                    init_pending: item.init_pending,
                    init: item.init,
                    rollback_of: None,
                    request: None,
                    grove: grove.clone(),
                };
                let record = match (&item.running, self.arguments.only) {
                    (Some(running), Some(Only::Operational)) => Record {
                        source: running.source.clone(),
                        operational: Some(self.origin.clone()),
                        distribution: running.distribution.clone(),
                        rollback_of: running.rollback_of,
                        ..record
                    },
                    _ => record,
                };
                changes.release(Release {
                    record,
                    objects: item.objects,
                    apps: item.tree.apps.clone(),
                    sealed: Some(releasing::ciphertexts_value(&item.sealed.ciphertexts)?),
                })?;
                if item.hold.is_some() && self.arguments.only.is_none() {
                    changes.unhold(&name);
                }
                releases.push((name.clone(), number));
                row.release = Some(number);
                row.reason = None;
            }
            if item.action == Action::Unchanged && item.has_thawed {
                // What is left of a freeze that is over would be in force again in a year.
                changes.unfreeze(&name, &item.tree.apps);
            }
            if item.action == Action::Unchanged && item.resealed {
                // The same values from files that were encrypted anew: the next deploy needs no key.
                let value = releasing::ciphertexts_value(&item.sealed.ciphertexts)?;
                changes.write(
                    &format!("releases/{name}/sealed.yaml"),
                    grove_yaml::emit(&value),
                );
            }
            rows.push(row);
        }
        if changes.is_empty() || self.arguments.dry_run {
            return Ok(rows);
        }
        self.output
            .progress(&format!("pushing to {}", branch.remote()));
        let draft = Draft {
            changes,
            message: Message {
                subject: subject(self.arguments.message.as_deref(), &releases),
                text: None,
                source: self.origin.commit,
                local: self.origin.local,
                releases,
                request: None,
                grove,
            },
            author,
            time,
        };
        let outcome = branch.commit(draft, refuse)?;
        self.output.progress_done();
        for row in rows.iter_mut().filter(|row| row.action == Action::Released) {
            row.commit = outcome.commit;
        }
        Ok(rows)
    }
}

fn subject(message: Option<&str>, releases: &[(String, u32)]) -> String {
    if releases.is_empty() {
        return "Note that secrets were encrypted anew, or that freezes are over".to_owned();
    }
    let names: Vec<String> = releases
        .iter()
        .take(3)
        .map(|(name, number)| format!("{name} {number:04}"))
        .collect();
    let more = releases.len().saturating_sub(names.len());
    let list = match more {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    };
    match message.and_then(|message| message.lines().next()) {
        Some(message) => format!("Release {list}: {message}"),
        None => format!("Release {list}"),
    }
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
