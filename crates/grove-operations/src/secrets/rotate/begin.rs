//! The first step of a rotation, or the only one.

use std::collections::BTreeSet;

use grove_fleet::{
    Address,
    model::Instance,
    rotation::{self, Class, Pair},
};
use grove_seal::derive;

use super::change::{Change, own};
use crate::{
    Error, Kind, Result,
    consent::{Need, Needs},
};

/// What becomes of an instance's file, and what must be agreed to.
pub(super) fn change(instance: &Instance, names: &[String], needs: &mut Needs) -> Result<Change> {
    let address = &instance.address;
    let mut change = Change::of(instance);
    for name in names {
        own(instance, name)?;
        match rotation::class(instance, name) {
            Class::TwoStep(pair) => second_user(&mut change, instance, pair)?,
            class @ (Class::Job | Class::Disruptive(_)) => {
                if let Class::Disruptive(what) = class {
                    needs.extend([Need::Disrupts {
                        instance: address.to_string(),
                        secret: name.clone(),
                        meaning: what.to_owned(),
                    }]);
                }
                change.made.insert(name.clone());
                change.next.insert(format!("now `grove deploy {address}`"));
            }
            class @ (Class::Plain(_) | Class::Never(_) | Class::Unknown) => {
                return Err(Error::refused(format!(
                    "{name} is not rotated here: {}",
                    class.meaning()
                )));
            }
        }
    }
    if !change.made.is_empty() {
        change.followers = followers(&change, instance);
        for name in &change.followers {
            own(instance, name)?;
        }
    }
    Ok(change)
}

/// Values that stand in the file and follow from those that are made: Meilisearch's API key from its master
/// key. An old one beside a new master key would be refused by the next deploy.
fn followers(change: &Change, instance: &Instance) -> BTreeSet<String> {
    let written = change.written();
    let is_follower = |name: &&String| {
        let parents = derive::parents(name).unwrap_or_default();
        let held = |parent: &&str| instance.secrets.contains_key(*parent);
        parents.iter().all(held) && parents.iter().any(|parent| written.contains(*parent))
    };
    instance
        .secrets
        .keys()
        .filter(is_follower)
        .cloned()
        .collect()
}

/// A second user beside the first.
fn second_user(change: &mut Change, instance: &Instance, pair: Pair) -> Result<()> {
    let address = &instance.address;
    let has = |name: &str| instance.secrets.contains_key(name);
    if has(&pair.previous) {
        return Err(Error::refused(format!(
            "the last rotation of {} is not finished: the user of before still gets in",
            pair.password
        ))
        .hint(format!("`grove secret rotate {address} --finish`")));
    }
    if !has(&pair.user) {
        if pair.plain.is_none() {
            return Err(Error::new(
                Kind::No,
                format!("there is no secret {}, the key's identifier", pair.user),
            )
            .hint(format!("`grove secret generate {address}` says more")));
        }
        // A rollback takes older manifests with the values of today: both must be values.
        change.next.insert(format!(
            "{} has its user from a secret after `grove deploy {address}`, so that a rollback finds whoever gets in; then rotate it",
            pair.password
        ));
        change.named.push(pair);
        return Ok(());
    }
    own(instance, &pair.user)?;
    // The user who takes the turn may be the one that the last rotation retired; a key never comes back.
    if has(&pair.retired) && pair.plain.is_some() {
        change.gone.push(pair.retired.clone());
    }
    change.next.insert(follow_up(address, &pair));
    change.next.insert(format!(
        "when that runs, `grove secret rotate {address} --finish`"
    ));
    change.doubled.push(pair);
    Ok(())
}

fn follow_up(address: &Address, pair: &Pair) -> String {
    if pair.is_outside {
        format!("now `grove data apply {address}`, then `grove deploy {address} --wait`")
    } else {
        format!("now `grove deploy {address} --wait`")
    }
}
