//! The Job that makes, verifies or removes what one instance has outside.

use std::collections::{BTreeMap, BTreeSet};

use grove_fleet::{
    Address, Fleet,
    model::{Engine, Instance, Manage},
};
use grove_render::{DataJob, data_job, data_secrets, data_services};
use serde_json::Value;

use crate::{
    Error, Kind, Result, fleet::find::find_cluster, jobs::instance::job_name, request::RequestId,
    secrets::open::Secrets,
};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// What is missing is made.
    Apply,
    /// It is looked at.
    Verify,
    /// It goes.
    Remove,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Verify => "verify",
            Self::Remove => "remove",
        }
    }
}

/// One instance's Job.
pub(super) struct Task {
    /// The instance.
    pub(super) address: Address,
    /// The Job's name.
    pub(super) name: String,
    /// What is made: the Job first.
    pub(super) objects: Vec<Value>,
}

/// What Grove made for an instance, in words.
pub(super) fn summary(instance: &Instance) -> Vec<String> {
    let mut words = Vec::new();
    for (engine, outside) in &instance.data.outside {
        match (engine, outside.manage) {
            (_, Manage::External) => {}
            // What an adopted service loses is its user.
            (Engine::Redis, _) | (_, Manage::Adopt) => {
                let users = outside.users.values();
                words.extend(users.map(|user| format!("the {} user {user}", engine.name())));
            }
            (_, Manage::Create) => {
                let what = match engine {
                    Engine::S3 => "bucket",
                    Engine::Meilisearch => "indexes of the prefix",
                    _ => "database",
                };
                let names = outside.databases.values();
                words.extend(names.map(|name| format!("the {} {what} {name}", engine.name())));
            }
        }
    }
    words
}

/// The Job of one instance; none where it has nothing outside.
pub(super) fn make(
    action: Action,
    fleet: &Fleet,
    secrets: &Secrets<'_>,
    instance: &Instance,
    request: Option<&RequestId>,
) -> Result<Option<Task>> {
    let cluster = find_cluster(fleet, &instance.address.cluster)?;
    let is_ours = |manage| action == Action::Verify || manage != Manage::External;
    let outside = instance.data.outside.values();
    let servers: BTreeSet<&String> = outside
        .clone()
        .filter(|outside| action != Action::Verify && outside.manage != Manage::External)
        .filter_map(|outside| outside.server.as_ref())
        .collect();
    if !outside.clone().any(|outside| is_ours(outside.manage)) {
        return Ok(None);
    }
    let mut admins = BTreeMap::new();
    for name in servers {
        if let Some((user, password)) = secrets.admin(cluster, name)? {
            admins.insert(name.clone(), (user, password.expose().to_owned()));
        }
    }
    let mut values = BTreeMap::new();
    for name in data_secrets(instance) {
        if let Some(reference) = instance.secrets.get(&name) {
            values.insert(name, secrets.value(reference)?);
        }
    }
    let value = |name: &str| values.get(name).map(|secret| secret.expose().to_owned());
    let services = data_services(instance, &admins, &value).map_err(|name| {
        Error::new(Kind::No, format!("there is no secret {name}"))
            .hint(format!("`grove secret set {} {name}`", instance.address))
    })?;
    let image = match &cluster.admin_image {
        Some(image) => image.clone(),
        None => stock_image(fleet, instance)?,
    };
    let short: String = instance.address.instance.chars().take(30).collect();
    let name = job_name(
        &format!("{}-{short}", action.name()),
        request,
        &instance.address,
        0,
    );
    let objects = data_job(&DataJob {
        name: &name,
        image: &image,
        action: action.name(),
        services: &services,
    });
    Ok(Some(Task {
        address: instance.address.clone(),
        name,
        objects,
    }))
}

/// Tutor's own image of Open edX: it has the driver of every engine, and nothing of a client's.
fn stock_image(fleet: &Fleet, instance: &Instance) -> Result<String> {
    let distribution = fleet.distributions.get(&instance.distribution);
    let lock = distribution.and_then(|distribution| distribution.lock.as_ref());
    let version = lock.map(|lock| lock.tutor.as_str()).unwrap_or_default();
    let is_released = !version.is_empty()
        && version
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_released {
        return Ok(format!("overhangio/openedx:{version}"));
    }
    Err(Error::new(
        Kind::No,
        format!("Tutor `{version}` has no image of its own to run this in"),
    )
    .hint("state `admin_image` in `cluster.yaml`"))
}
