//! The second step of a rotation.

use std::time::Duration;

use grove_fleet::{
    Fleet,
    model::{Instance, SecretReference},
    rotation::{self, Pair},
};

use super::change::{Change, own};
use crate::{
    Error, Result,
    fleet::workspace::Workspace,
    release::{follow, remotes, seal},
};

/// Takes away the users of before.
pub(super) fn change(instance: &Instance, names: &[String]) -> Result<Change> {
    let address = &instance.address;
    let mut change = Change::of(instance);
    for pair in rotation::unfinished(instance) {
        if !names.is_empty() && !names.contains(&pair.password) {
            continue;
        }
        own(instance, &pair.previous)?;
        change.gone.push(pair.previous.clone());
        let next = if pair.is_outside {
            format!("now `grove data apply {address}` takes the user of before away")
        } else {
            format!("now `grove deploy {address}` takes the user of before away")
        };
        change.next.insert(next);
        change.ended.push(pair);
    }
    Ok(change)
}

/// Refuses unless the running release has the values of the first step, and every pod runs it. That is waited
/// for, at most that many seconds.
pub(super) fn runs(
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    instance: &Instance,
    pairs: &[Pair],
    seconds: u64,
) -> Result<()> {
    let address = &instance.address;
    let branch = remotes::open(workspace, fleet, &address.cluster)?;
    let sealed = seal::ciphertexts(&branch.view()?, &address.instance)?;
    let is_released = |name: &str| {
        let today: Option<&SecretReference> = instance.secrets.get(name);
        let released = sealed.as_ref().and_then(|sealed| sealed.secrets.get(name));
        matches!((today, released), (Some(today), Some(released)) if today.digest == released.source)
    };
    let names = pairs.iter().flat_map(|pair| [&pair.user, &pair.password]);
    for name in names {
        if !is_released(name) {
            return Err(Error::refused(format!(
                "the running release does not have the new {name}: pods would be locked out"
            ))
            .hint(format!("`grove deploy {address} --wait` first")));
        }
    }
    let Some(tip) = branch.tip() else {
        return Ok(());
    };
    let release = follow::Release::new(&branch, instance, tip)?;
    let limit = Duration::from_secs(seconds);
    let waited = follow::follow(workspace.around, limit, &fleet.clusters, &[release]);
    // Who ended it has seen nothing.
    drop(workspace.around.enter()?);
    if follow::verdict(&waited).is_none() {
        return Ok(());
    }
    Err(Error::refused(
        "not every pod runs with the new user yet: those that do not would be locked out",
    )
    .hint("`grove status` shows which; `--accept` goes on all the same"))
}
