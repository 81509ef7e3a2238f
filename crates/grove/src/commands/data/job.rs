//! The Job that does it.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use futures_util::future::join_all;
use grove_fleet::{
    Address, Fleet,
    model::{Cluster, Engine, Instance, Manage},
};
use grove_render::{
    DATA_NAMESPACE, DataJob, data_job, data_namespace, data_secrets, data_services,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    commands::rollback::find_cluster,
    connecting::{Reach, block_on},
    data_applied,
    error::{CommandError, Exit, Result},
    one_off::{self, OneOff},
    output::Output,
    releasing::Remotes,
    secrets::Secrets,
    workspace::{Workspace, is_json},
};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Apply,
    Verify,
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

/// How long to wait.
#[derive(Debug, clap::Args)]
pub(crate) struct Patience {
    /// How long to watch, in seconds; the Job goes on.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    timeout: u64,
}

/// What every one of these commands has.
pub(crate) struct Surroundings<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) fleet: &'a Fleet,
    pub(crate) reach: &'a Reach,
    /// Where what was made is noted, where anything is.
    pub(crate) remotes: Option<&'a Remotes>,
    pub(crate) patience: &'a Patience,
    pub(crate) output: &'a Output,
}

/// One instance's Job.
struct Task<'a> {
    instance: &'a Instance,
    cluster: &'a Cluster,
    name: String,
    objects: Vec<Value>,
}

/// How it ended.
#[derive(Debug, Serialize)]
struct Ended {
    instance: Address,
    job: String,
    exit_code: i32,
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

/// Runs the Jobs of instances, beside each other.
pub(super) fn run(
    action: Action,
    surroundings: &Surroundings<'_>,
    instances: &[&Instance],
) -> Result {
    let output = surroundings.output;
    let secrets = Secrets::new(surroundings.workspace, surroundings.fleet);
    // Every one is prepared before the first is made: a secret that cannot be opened stops all.
    let mut tasks = Vec::new();
    for instance in instances {
        match task(action, surroundings.fleet, &secrets, instance)
            .map_err(|error| error.context(instance.address.to_string()))?
        {
            Some(task) => tasks.push(task),
            None => output.note(&format!("{}: nothing to do", instance.address)),
        }
    }
    let several = tasks.len() > 1;
    let results = block_on(async {
        let namespaces: BTreeSet<&str> = tasks
            .iter()
            .map(|task| task.cluster.name.as_str())
            .collect();
        for cluster in namespaces {
            let cluster = find_cluster(surroundings.fleet, cluster)?;
            let connection = surroundings.reach.connect(cluster).await?;
            for object in data_namespace() {
                connection.apply(&object, false).await?;
            }
        }
        let runs = tasks.iter().map(|task| async move {
            let connection = surroundings.reach.connect(task.cluster).await?;
            let address = &task.instance.address;
            let job = OneOff {
                namespace: DATA_NAMESPACE,
                name: &task.name,
                objects: &task.objects,
                prefix: several.then(|| address.to_string()),
                shown: words,
                later: format!(
                    "`kubectl logs --follow -n {DATA_NAMESPACE} jobs/{}`",
                    task.name
                ),
                patience: Duration::from_secs(surroundings.patience.timeout),
            };
            let begun = format!("{address}: {} in {DATA_NAMESPACE} begins", task.name);
            let ended = one_off::run(&connection, &job, &begun, output).await?;
            Ok(Ended {
                instance: address.clone(),
                job: task.name.clone(),
                exit_code: ended.exit_code,
            })
        });
        Ok(join_all(runs).await)
    })?;
    if let Some(remotes) = surroundings.remotes {
        record(surroundings, remotes, &tasks, &results);
    }
    finish(&tasks, results, output)
}

/// Notes in the deploy branch of each cluster what was made. Before the first release there may be no
/// repository; nothing asks for the note then.
fn record(
    surroundings: &Surroundings<'_>,
    remotes: &Remotes,
    tasks: &[Task<'_>],
    results: &[Result<Ended>],
) {
    let mut made: BTreeMap<&str, Vec<&Instance>> = BTreeMap::new();
    for (task, result) in tasks.iter().zip(results) {
        if result.as_ref().is_ok_and(|ended| ended.exit_code == 0) {
            made.entry(&task.cluster.name)
                .or_default()
                .push(task.instance);
        }
    }
    for (cluster, instances) in made {
        let (workspace, fleet) = (surroundings.workspace, surroundings.fleet);
        let noted = remotes
            .open(workspace, fleet, cluster)
            .and_then(|mut branch| data_applied::record(workspace, &mut branch, &instances));
        if let Err(error) = noted {
            surroundings.output.warn(
                "what was made is not noted in the deploy repository; once an instance runs, a changed password is released only after `grove data apply` noted it:",
            );
            surroundings.output.error(&error);
        }
    }
}

fn finish(tasks: &[Task<'_>], results: Vec<Result<Ended>>, output: &Output) -> Result {
    let (mut ended, mut failures) = (Vec::new(), Vec::new());
    for (task, result) in tasks.iter().zip(results) {
        match result {
            Ok(one) => ended.push(one),
            Err(error) => failures.push(error.context(task.instance.address.to_string())),
        }
    }
    if is_json(output) {
        output.json(&json!({"version": 1, "jobs": ended}))?;
    }
    for one in ended.iter().filter(|one| one.exit_code != 0) {
        output.note(&format!(
            "{}: {} failed; what it did before stays, and the next run goes on from there",
            one.instance, one.job
        ));
    }
    if let Some(last) = failures.pop() {
        for failure in &failures {
            output.error(failure);
        }
        return Err(last);
    }
    let is_done = ended.iter().all(|one| one.exit_code == 0);
    Ok(if is_done { Exit::Done } else { Exit::No })
}

/// A line of the Job's for people.
fn words(line: &str) -> String {
    let told: Option<Value> = serde_json::from_str(line).ok();
    let text = |key: &str| told.as_ref()?.get(key)?.as_str();
    match (text("service"), text("did"), text("failed")) {
        (Some(service), Some(did), _) => format!("{service}: {did}"),
        (Some(service), None, Some(failed)) => format!("{service}: failed: {failed}"),
        _ => line.to_owned(),
    }
}

/// The Job of one instance; none where it has nothing outside.
fn task<'a>(
    action: Action,
    fleet: &'a Fleet,
    secrets: &Secrets<'_>,
    instance: &'a Instance,
) -> Result<Option<Task<'a>>> {
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
        CommandError::new(Exit::No, format!("there is no secret {name}"))
            .hint(format!("`grove secret set {} {name}`", instance.address))
    })?;
    let image = match &cluster.admin_image {
        Some(image) => image.clone(),
        None => stock_image(fleet, instance)?,
    };
    let short: String = instance.address.instance.chars().take(30).collect();
    let number = RandomState::new().hash_one(instance.address.to_string());
    let name = format!("{}-{short}-{:08x}", action.name(), number & 0xffff_ffff);
    let objects = data_job(&DataJob {
        name: &name,
        image: &image,
        action: action.name(),
        services: &services,
    });
    Ok(Some(Task {
        instance,
        cluster,
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
    Err(CommandError::new(
        Exit::No,
        format!("Tutor `{version}` has no image of its own to run this in"),
    )
    .hint("state `admin_image` in `cluster.yaml`"))
}
