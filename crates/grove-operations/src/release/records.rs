//! What the records of releases say.

use grove_check::{Released, ReleasedDistribution, ReleasedInstance};
use grove_fleet::{Address, model::Instance};
use grove_release::{DeployBranch, Id, Record, View};

use crate::{Error, Result};

/// The commit from which a running release was rendered: of a rollback, that of the release whose manifests
/// it took.
pub(crate) fn rendered_from(view: &View<'_>, address: &Address, mut record: Record) -> Result<Id> {
    while let Some(taken) = record.rollback_of {
        record = view.record(&address.instance, taken)?;
    }
    let release = record.release;
    match record.source.commit.filter(|_| !record.source.local) {
        Some(commit) => Ok(commit),
        None => Err(Error::refused(format!(
            "release {release:04} of {address} was made of a work tree, which is in no commit"
        ))
        .hint("deploy it from a commit first")),
    }
}

/// `cluster/instance@NNNN`.
pub(crate) fn release_name(cluster: &str, record: &Record) -> String {
    format!("{cluster}/{}@{:04}", record.instance, record.release)
}

/// Adds what a cluster's branch says of the releases that run.
pub(crate) fn released(branch: &DeployBranch, released: &mut Released) -> Result<()> {
    let view = branch.view()?;
    for name in view.instances()? {
        let Some(record) = view.latest(&name)? else {
            continue;
        };
        let address = Address::new(branch.cluster(), &name);
        if !record.distribution.input.is_empty() {
            released
                .distributions
                .entry(record.distribution.name)
                .or_insert_with(|| ReleasedDistribution {
                    input: record.distribution.input,
                    by: address.clone(),
                });
        }
        if let Some(identity) = record.identity {
            let release = format!("{:04}", record.release);
            released
                .instances
                .insert(address, ReleasedInstance { release, identity });
        }
    }
    Ok(())
}

/// A release that needs a secret which the fleet no longer has cannot come back.
pub(crate) fn refuse_lost_secrets(instance: &Instance, older: &Record) -> Result<()> {
    let held = |name: &str| instance.secrets.contains_key(name);
    let lost: Vec<&str> = older
        .secrets
        .iter()
        .map(String::as_str)
        .filter(|name| !grove_seal::derive::is_held(name, &held))
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    Err(Error::refused(format!(
        "release {:04} needs secrets that the fleet no longer has: {}",
        older.release,
        lost.join(", ")
    ))
    .hint("`grove secret set` brings one back"))
}
