//! What became of a request that was carried out before: the first outcome is read from the deploy branch.

use grove_fleet::Address;
use grove_release::{DeployBranch, Diff, Landed, Record, View, diff};

use super::seal;
use crate::{Error, Result, request::RequestId};

/// The commit that carried a request out on a branch; none where it was not, or where it has no name.
pub(crate) fn of(branch: &DeployBranch, request: Option<&RequestId>) -> Result<Option<Landed>> {
    match request {
        Some(request) => Ok(branch.landed(request)?),
        None => Ok(None),
    }
}

/// Refuses a request whose name is another's: a commit that did something else carries it.
pub(crate) fn something_else(landed: &Landed) -> Error {
    let name = landed.message.request.as_ref();
    Error::refused(format!(
        "the request `{}` was carried out before, and did something else: {}",
        name.map(ToString::to_string).unwrap_or_default(),
        landed.message.subject
    ))
    .hint("give each request a name of its own")
}

/// Refuses a request that brings no release, and whose name a commit carries that brought one.
pub(crate) fn must_bring_none(landed: &Landed) -> Result<()> {
    if landed.message.releases.is_empty() {
        return Ok(());
    }
    Err(something_else(landed))
}

/// A branch as a plan is to see it: as it is now, or, where a request was carried out already, as it was
/// before that.
pub(crate) fn view<'b>(branch: &'b DeployBranch, landed: Option<&Landed>) -> Result<View<'b>> {
    Ok(match landed {
        Some(landed) => branch.view_before(landed)?,
        None => branch.view()?,
    })
}

/// A release that a request made.
pub(crate) struct Made {
    /// Its record.
    pub record: Record,
    /// What it changed.
    pub diff: Diff,
    /// Names of the secrets whose value was new or another than before.
    pub secrets: std::collections::BTreeSet<String>,
}

/// The release of an instance that a commit brought; none where it brought none of it.
pub(crate) fn made(
    branch: &DeployBranch,
    landed: &Landed,
    address: &Address,
) -> Result<Option<Made>> {
    let name = &address.instance;
    let number = landed
        .message
        .releases
        .iter()
        .find(|(instance, _)| instance == name);
    let Some((_, number)) = number else {
        return Ok(None);
    };
    let (after, before) = (branch.view_at(landed.commit)?, branch.view_before(landed)?);
    let record = after.record(name, *number)?;
    let old = before.objects(name)?.unwrap_or_default();
    let (old_values, new_values) = (
        seal::ciphertexts(&before, name)?,
        seal::ciphertexts(&after, name)?,
    );
    let is_new = |secret: &String, fingerprint: &str| {
        let old = old_values.as_ref().and_then(|old| old.secrets.get(secret));
        old.is_none_or(|old| old.fingerprint != fingerprint)
    };
    let secrets = new_values
        .iter()
        .flat_map(|values| &values.secrets)
        .filter(|(secret, value)| is_new(secret, &value.fingerprint))
        .map(|(secret, _)| secret.clone())
        .collect();
    Ok(Some(Made {
        diff: diff(&old, &branch.objects_of(record.tree)?),
        record,
        secrets,
    }))
}
