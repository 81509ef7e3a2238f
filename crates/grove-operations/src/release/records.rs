//! What the records of releases say.

use grove_fleet::{
    Address,
    check::{Released, ReleasedDistribution, ReleasedInstance},
};
use grove_release::{DeployBranch, Id, Record, View};

use crate::{Error, Result};

/// The commit from which a running release was rendered: of a rollback, that of the release whose manifests
/// it took.
pub fn rendered_from(view: &View<'_>, address: &Address, mut record: Record) -> Result<Id> {
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
pub fn release_name(cluster: &str, record: &Record) -> String {
    format!("{cluster}/{}@{:04}", record.instance, record.release)
}

/// Adds what a cluster's branch says of the releases that run.
pub fn released(branch: &DeployBranch, released: &mut Released) -> Result<()> {
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
