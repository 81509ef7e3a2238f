//! What `grove data apply` made last, as the deploy branch has it: no release brings a user that is not there.

use std::collections::{BTreeMap, BTreeSet};

use grove_fleet::{model::Instance, rotation};
use grove_release::{Changes, DeployBranch, View};
use serde::{Deserialize, Serialize};

use super::publish::{Subject, publish};
use crate::{
    Around, Error, Kind, Result,
    request::{RequestId, part},
};

/// The format of the file.
const VERSION: u32 = 1;

/// `releases/<instance>/data.yaml`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Applied {
    version: u32,
    /// Of each user's name and password the digest of the ciphertext in the fleet.
    secrets: BTreeMap<String, String>,
}

fn path(instance: &str) -> String {
    format!("releases/{instance}/data.yaml")
}

/// Today's digests of the users that Grove makes for an instance.
fn today(instance: &Instance) -> BTreeMap<String, String> {
    let pairs = rotation::pairs(instance).into_iter();
    pairs
        .filter(|pair| pair.is_outside)
        .flat_map(|pair| [pair.user, pair.password])
        .filter_map(|name| {
            let digest = instance.secrets.get(&name)?.digest.clone();
            Some((name, digest))
        })
        .collect()
}

/// Notes that the users of these instances, all of one cluster, are made. A branch that does not exist yet
/// gets no commit: the first release of an instance is not held to it.
pub(crate) fn record(
    around: &Around,
    branch: &mut DeployBranch,
    instances: &[&Instance],
    request: Option<&RequestId>,
) -> Result<()> {
    if branch.tip().is_none() {
        return Ok(());
    }
    let mut changes = Changes::default();
    let mut names = Vec::new();
    for instance in instances {
        let applied = Applied {
            version: VERSION,
            secrets: today(instance),
        };
        let value =
            serde_json::to_value(applied).map_err(|error| Error::from_error(Kind::Bug, &error))?;
        let name = &instance.address.instance;
        let text = grove_yaml::emit(&value).into_bytes();
        if branch.view()?.file(&path(name))?.as_ref() != Some(&text) {
            changes.write(&path(name), text);
            names.push(name.clone());
        }
    }
    if changes.is_empty() {
        return Ok(());
    }
    let subject = format!("Made users and databases of {}", names.join(", "));
    // Of each request a branch takes one commit, and the instances may be done one after the other.
    let request = part(request, &names.join("-"));
    publish(
        around,
        branch,
        changes,
        Subject::new(subject, request.as_ref()),
    )?;
    Ok(())
}

/// Refuses to bring a user's name or password, changed since the running release, that no server has yet:
/// every pod would be locked out. In the namespace an init task brings it there, if `runs_jobs`.
pub(crate) fn refuse_unapplied(
    view: &View<'_>,
    instance: &Instance,
    changed: &BTreeSet<String>,
    runs_jobs: bool,
) -> Result<()> {
    let address = &instance.address;
    if view.latest(&address.instance)?.is_none() {
        return Ok(());
    }
    let mut applied = None;
    for pair in rotation::pairs(instance) {
        for name in [&pair.user, &pair.password] {
            if !changed.contains(name) {
                continue;
            }
            let locked_out = || {
                Error::refused(format!(
                    "{name} changed, and no server has it yet: every pod would be locked out"
                ))
            };
            if !pair.is_outside {
                if runs_jobs {
                    continue;
                }
                return Err(locked_out().hint(format!(
                    "`grove deploy {address}` in whole first: an init task makes the user"
                )));
            }
            let applied = match &applied {
                Some(applied) => applied,
                None => applied.insert(read(view, &address.instance)?),
            };
            let today = instance
                .secrets
                .get(name)
                .map(|reference| &reference.digest);
            if applied.get(name) != today {
                return Err(locked_out().hint(format!("`grove data apply {address}` first")));
            }
        }
    }
    Ok(())
}

/// What was made last.
fn read(view: &View<'_>, instance: &str) -> Result<BTreeMap<String, String>> {
    let Some(bytes) = view.file(&path(instance))? else {
        return Ok(BTreeMap::new());
    };
    let root = grove_yaml::parse(&bytes, grove_yaml::Limits::default()).root;
    let root = root.map(|root| root.to_json()).unwrap_or_default();
    let applied: Applied = serde_json::from_value(root).map_err(|error| {
        Error::from_error(Kind::Tool, &error).context(format!(
            "`{}` of the deploy branch cannot be read",
            path(instance)
        ))
    })?;
    Ok(applied.secrets)
}
