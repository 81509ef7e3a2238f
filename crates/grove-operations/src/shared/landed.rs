//! The first outcome of a request that was carried out before, read from the deploy branch.

use grove_release::{DeployBranch, Landed, SharedRecord};

use super::{change::SharedChange, deploy::UNIT, render::Released};
use crate::Result;

/// A release that a request made.
pub(super) struct Made {
    /// Its record.
    pub(super) record: SharedRecord,
    /// The number of the release that it left; none where it was the first.
    pub(super) left: Option<u32>,
    /// What it changed.
    pub(super) change: SharedChange,
}

/// The release of what instances share that a commit brought; none where it brought none.
pub(super) fn made(branch: &DeployBranch, landed: &Landed) -> Result<Option<Made>> {
    if !landed.message.releases.iter().any(|(unit, _)| unit == UNIT) {
        return Ok(None);
    }
    let Some(record) = branch.view_at(landed.commit)?.shared_latest()? else {
        return Ok(None);
    };
    let left = branch.view_before(landed)?.shared_latest()?;
    let before = match &left {
        Some(record) => Released::read(branch, record)?,
        None => Released::default(),
    };
    Ok(Some(Made {
        change: SharedChange::between(&before, &Released::read(branch, &record)?),
        left: left.map(|record| record.release),
        record,
    }))
}
