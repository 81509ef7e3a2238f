//! What became of a request that was carried out before, read from the deploy branch.

use grove_release::{DeployBranch, Landed, SharedRecord};

use super::{change::SharedChange, render::Released};
use crate::Result;

/// The release of what instances share that a commit brought, and what it changed; none where it brought none.
pub(super) fn made(
    branch: &DeployBranch,
    landed: &Landed,
) -> Result<Option<(SharedRecord, SharedChange)>> {
    let mut releases = landed.message.releases.iter();
    let Some((_, number)) = releases.find(|(name, _)| name == SHARED) else {
        return Ok(None);
    };
    let record = branch.view_at(landed.commit)?.shared_record(*number)?;
    let before = match branch.view_before(landed)?.shared_latest()? {
        Some(before) => Released::read(branch, &before)?,
        None => Released::default(),
    };
    let change = SharedChange::between(&before, &Released::read(branch, &record)?);
    Ok(Some((record, change)))
}

/// What instances share, where a commit names its releases.
pub(super) const SHARED: &str = "_cluster";
