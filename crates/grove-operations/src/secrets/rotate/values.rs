//! The values of a rotation.

use std::collections::{BTreeMap, BTreeSet};

use grove_fleet::{
    Fleet,
    model::Instance,
    rotation::{Pair, alternate},
};
use grove_seal::{Secret, derive};

use super::change::Change;
use crate::{
    Around, Doing, Error, Kind, Result,
    fleet::find,
    render::pipeline::Pipeline,
    secrets::{open::Secrets, tutor::Asked},
};

/// Values by name.
type Values = BTreeMap<String, Secret>;

/// Makes the values of a change.
pub(super) fn make(
    around: &Around,
    fleet: &Fleet,
    secrets: &Secrets<'_>,
    change: &Change,
) -> Result<Values> {
    let instance = find::find(fleet, &change.address)?;
    let mut values = Values::new();
    for pair in &change.named {
        if let Some(plain) = &pair.plain {
            values.insert(pair.user.clone(), Secret::from(plain.as_str()));
        }
    }
    for pair in &change.doubled {
        second_user(&mut values, secrets, instance, pair)?;
    }
    for pair in &change.ended {
        let previous = stated(secrets, instance, &pair.previous)?;
        values.insert(pair.retired.clone(), previous);
    }
    if !change.made.is_empty() {
        around.doing(Doing::AskingTutor {
            instance: &change.address.to_string(),
        });
        values.extend(generated(around, fleet, instance, &change.made)?);
    }
    for name in &change.followers {
        follower(&mut values, secrets, instance, name)?;
    }
    Ok(values)
}

/// The value of today.
fn stated(secrets: &Secrets<'_>, instance: &Instance, name: &str) -> Result<Secret> {
    let reference = instance.secrets.get(name).ok_or_else(|| {
        Error::new(
            Kind::Bug,
            format!("a planned rotation lacks the secret {name}"),
        )
    })?;
    secrets.value(reference)
}

/// A second user beside the first.
fn second_user(
    values: &mut Values,
    secrets: &Secrets<'_>,
    instance: &Instance,
    pair: &Pair,
) -> Result<()> {
    let user = stated(secrets, instance, &pair.user)?;
    let (next, password) = if pair.plain.is_none() {
        let uid = Secret::uuid();
        let key = secrets.search_key(instance, &uid)?;
        (uid, key)
    } else {
        (Secret::new(alternate(user.expose())), Secret::password())
    };
    values.insert(pair.user.clone(), next);
    values.insert(pair.password.clone(), password);
    values.insert(pair.previous.clone(), user);
    Ok(())
}

/// A value that follows from others, of today or just made.
fn follower(
    values: &mut Values,
    secrets: &Secrets<'_>,
    instance: &Instance,
    name: &str,
) -> Result<()> {
    let mut opened = Values::new();
    for parent in derive::parents(name).unwrap_or_default() {
        let value = match (values.get(*parent), instance.secrets.get(*parent)) {
            (Some(made), _) => made.clone(),
            (None, Some(reference)) => secrets.value(reference)?,
            (None, None) => continue,
        };
        opened.insert((*parent).to_owned(), value);
    }
    let wanted = BTreeSet::from([name.to_owned()]);
    values.extend(derive::values(&wanted, &opened)?);
    Ok(())
}

/// Values as Tutor makes them.
fn generated(
    around: &Around,
    fleet: &Fleet,
    instance: &Instance,
    names: &BTreeSet<String>,
) -> Result<Values> {
    let unlocked =
        || Error::new(Kind::No, "its distribution is not locked").hint("`grove check` says more");
    let distribution = fleet
        .distributions
        .get(&instance.distribution)
        .ok_or_else(unlocked)?;
    let lock = distribution.lock.as_ref().ok_or_else(unlocked)?;
    let pipeline = Pipeline::new(around, true)?;
    let asked = Asked::new(&pipeline, instance, distribution, lock)?;
    let values = asked
        .generator
        .generate(&asked.input, names, &BTreeMap::new())?;
    let values: Values = values
        .into_iter()
        .filter(|(name, _)| names.contains(name))
        .map(|(name, value)| (name, Secret::from(value.as_str())))
        .collect();
    match names.iter().find(|name| !values.contains_key(*name)) {
        Some(name) => Err(Error::refused(format!(
            "neither Tutor nor a plugin says how {name} is made"
        ))
        .hint("`grove secret set` takes a value of yours")),
        None => Ok(values),
    }
}
