//! `grove secret rotate`.

use std::collections::{BTreeMap, BTreeSet};

use grove_fleet::{
    Address, Fleet, layout,
    model::{Instance, SecretReference},
    rotation::{self, Class, Pair, alternate},
};
use grove_seal::{Secret, derive};
use grove_tutor::{Generator, WorkerOptions};
use serde::Serialize;

use crate::{
    cli::Global,
    commands::selection::{Agreement, Selection},
    connecting::Reach,
    error::{CommandError, Exit, Result},
    following::{self, Wait},
    output::Output,
    pipeline::Pipeline,
    releasing::{self, Remotes},
    secrets::{Place, Secrets},
    workspace::{Workspace, is_json},
};

/// Give secrets other values, each as its class needs it.
///
/// `--plan` says what the class of each is. Users of databases are rotated in two steps, in which no request
/// fails: a second user is made and deployed; when every pod has it, `--finish` takes the first one away.
/// A value that somebody else makes, and one that nothing is known of, is refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove secret rotate prod/uni --plan\n\
    \x20 grove secret rotate prod/uni --secret OPENEDX_MYSQL_PASSWORD\n\
    \x20 grove secret rotate prod/uni --finish\n\
    \x20 grove secret rotate prod/uni --secret OPENEDX_SECRET_KEY --accept")]
pub(crate) struct Arguments {
    /// Say what each secret needs, and change nothing.
    #[arg(long, conflicts_with_all = ["finish", "accept"])]
    plan: bool,
    /// The secret; may be given several times.
    #[arg(long = "secret", value_name = "NAME")]
    names: Vec<String>,
    /// Do the second step of every rotation that has had its first.
    #[arg(long)]
    finish: bool,
    /// Agree to what users will notice; with `--finish`, do not look whether the first step runs.
    #[arg(long)]
    accept: bool,
    /// How long `--finish` waits for the running release, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    agreement: Agreement,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    remotes: Remotes,
}

/// What is known of one secret.
#[derive(Debug, Serialize)]
struct Row {
    instance: String,
    secret: String,
    class: &'static str,
    meaning: &'static str,
    /// Whether it stands between its two steps.
    unfinished: bool,
}

/// What is written to one instance's file.
struct Change<'a> {
    instance: &'a Instance,
    values: BTreeMap<String, Secret>,
    gone: Vec<String>,
    /// What is to be done then.
    next: BTreeSet<String>,
}

impl<'a> Change<'a> {
    fn of(instance: &'a Instance) -> Self {
        Self {
            instance,
            values: BTreeMap::new(),
            gone: Vec::new(),
            next: BTreeSet::new(),
        }
    }
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    if global.rev.is_some() && !arguments.plan {
        return Err(CommandError::usage(
            "this writes to the work tree; leave `--rev` out",
        ));
    }
    arguments.selection.must_be_stated()?;
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let instances = arguments.selection.select(&fleet)?;
    if arguments.plan {
        return plan(arguments, &instances, output);
    }
    if arguments.names.is_empty() && !arguments.finish {
        return Err(CommandError::usage("which secret? name it with `--secret`")
            .hint("`--plan` shows all of them, and what each needs"));
    }
    arguments.agreement.ask(&instances, output)?;
    let secrets = Secrets::new(&workspace, &fleet);
    let mut changes = Vec::new();
    for instance in instances {
        let change = if arguments.finish {
            finish(arguments, &workspace, &fleet, &secrets, instance, output)
        } else {
            begin(arguments, &fleet, &secrets, instance, output)
        };
        changes.push(change.map_err(|error| error.context(instance.address.to_string()))?);
    }
    output.progress_done();
    changes.retain(|change| !change.values.is_empty() || !change.gone.is_empty());
    if changes.is_empty() {
        output.note("nothing is to be done");
    }
    let mut rows = Vec::new();
    for change in &changes {
        let place = Place {
            file: layout::instance_secrets(&change.instance.address),
            below: Vec::new(),
        };
        let gone: Vec<&str> = change.gone.iter().map(String::as_str).collect();
        secrets.change(&place, &change.values, &gone)?;
        let written: Vec<&str> = change.values.keys().map(String::as_str).collect();
        rows.push(serde_json::json!({
            "instance": change.instance.address, "written": written, "next": change.next,
        }));
        if !is_json(output) {
            output.print(&format!(
                "{}: wrote {} to {}\n",
                change.instance.address,
                written.join(", "),
                place.file
            ))?;
            for next in &change.next {
                output.note(next);
            }
        }
    }
    if is_json(output) {
        output.json(&serde_json::json!({"version": 1, "rotated": rows}))?;
    }
    Ok(Exit::Done)
}

fn plan(arguments: &Arguments, instances: &[&Instance], output: &Output) -> Result {
    let mut rows = Vec::new();
    for instance in instances {
        let unfinished = rotation::unfinished(instance);
        for (name, class) in rotation::plan(instance) {
            if !arguments.names.is_empty() && !arguments.names.contains(&name) {
                continue;
            }
            rows.push(Row {
                instance: instance.address.to_string(),
                unfinished: unfinished.iter().any(|pair| pair.password == name),
                secret: name,
                class: class.name(),
                meaning: class.meaning(),
            });
        }
    }
    if is_json(output) {
        output.json(&serde_json::json!({"version": 1, "secrets": rows}))?;
        return Ok(Exit::Done);
    }
    for row in &rows {
        let unfinished = if row.unfinished {
            " — between its two steps: `--finish` when the first one runs"
        } else {
            ""
        };
        output.print(&format!(
            "{}: {} is {}: {}{unfinished}\n",
            row.instance, row.secret, row.class, row.meaning
        ))?;
    }
    Ok(Exit::Done)
}

/// The first step of a rotation, or the only one.
fn begin<'a>(
    arguments: &Arguments,
    fleet: &Fleet,
    secrets: &Secrets<'_>,
    instance: &'a Instance,
    output: &Output,
) -> Result<Change<'a>> {
    let address = &instance.address;
    let mut change = Change::of(instance);
    let mut made = BTreeSet::new();
    for name in &arguments.names {
        own(instance, name)?;
        match rotation::class(instance, name) {
            Class::TwoStep(pair) => {
                first_step(&mut change, secrets, &pair)?;
            }
            Class::Disruptive(what) if !arguments.accept => {
                return Err(CommandError::refused(format!("{name}: {what}"))
                    .hint("if that is meant, say `--accept`"));
            }
            Class::Job | Class::Disruptive(_) => {
                made.insert(name.clone());
                change.next.insert(format!("now `grove deploy {address}`"));
            }
            class @ (Class::Plain(_) | Class::Never(_) | Class::Unknown) => {
                return Err(CommandError::refused(format!(
                    "{name} is not rotated here: {}",
                    class.meaning()
                )));
            }
        }
    }
    if !made.is_empty() {
        output.progress(&format!("{address}: asking Tutor"));
        change
            .values
            .extend(generated(fleet, instance, &made, output)?);
        followers(&mut change, secrets, instance)?;
    }
    Ok(change)
}

/// Values that stand in the file and follow from those that are made: Meilisearch's API key from its master
/// key. An old one beside a new master key would be refused by the next deploy.
fn followers(change: &mut Change<'_>, secrets: &Secrets<'_>, instance: &Instance) -> Result<()> {
    let is_follower = |name: &&String| {
        let parents = derive::parents(name).unwrap_or_default();
        let held = |parent: &&str| instance.secrets.contains_key(*parent);
        parents.iter().all(held)
            && parents
                .iter()
                .any(|parent| change.values.contains_key(*parent))
    };
    let names: Vec<&String> = instance.secrets.keys().filter(is_follower).collect();
    for name in names {
        own(instance, name)?;
        let mut opened = BTreeMap::new();
        for parent in derive::parents(name).unwrap_or_default() {
            let value = match (change.values.get(*parent), instance.secrets.get(*parent)) {
                (Some(made), _) => made.clone(),
                (None, Some(reference)) => secrets.value(reference)?,
                (None, None) => continue,
            };
            opened.insert((*parent).to_owned(), value);
        }
        let wanted = BTreeSet::from([name.clone()]);
        change.values.extend(derive::values(&wanted, &opened)?);
    }
    Ok(())
}

/// Values as Tutor makes them.
fn generated(
    fleet: &Fleet,
    instance: &Instance,
    names: &BTreeSet<String>,
    output: &Output,
) -> Result<BTreeMap<String, Secret>> {
    let unlocked = || {
        CommandError::new(Exit::No, "its distribution is not locked")
            .hint("`grove check` says more")
    };
    let distribution = fleet
        .distributions
        .get(&instance.distribution)
        .ok_or_else(unlocked)?;
    let lock = distribution.lock.as_ref().ok_or_else(unlocked)?;
    let input = grove_render::request(instance)?;
    let pipeline = Pipeline::new(output, true)?;
    let environment = pipeline.environment(distribution, lock)?;
    let generator = Generator::new(
        environment,
        pipeline.cache(),
        WorkerOptions::default().limits,
    );
    let values = generator.generate(&input, names, &BTreeMap::new())?;
    let values: BTreeMap<String, Secret> = values
        .into_iter()
        .filter(|(name, _)| names.contains(name))
        .map(|(name, value)| (name, Secret::from(value.as_str())))
        .collect();
    match names.iter().find(|name| !values.contains_key(*name)) {
        Some(name) => Err(CommandError::refused(format!(
            "neither Tutor nor a plugin says how {name} is made"
        ))
        .hint("`grove secret set` takes a value of yours")),
        None => Ok(values),
    }
}

/// A second user beside the first.
fn first_step(change: &mut Change<'_>, secrets: &Secrets<'_>, pair: &Pair) -> Result<()> {
    let instance = change.instance;
    let address = &instance.address;
    let reference = |name: &str| instance.secrets.get(name);
    if reference(&pair.previous).is_some() {
        return Err(CommandError::refused(format!(
            "the last rotation of {} is not finished: the user of before still gets in",
            pair.password
        ))
        .hint(format!("`grove secret rotate {address} --finish`")));
    }
    let Some(user) = reference(&pair.user) else {
        let Some(plain) = &pair.plain else {
            return Err(CommandError::new(
                Exit::No,
                format!("there is no secret {}, the key's identifier", pair.user),
            )
            .hint(format!("`grove secret generate {address}` says more")));
        };
        // A rollback takes older manifests with the values of today: both must be values.
        change
            .values
            .insert(pair.user.clone(), Secret::from(plain.as_str()));
        change.next.insert(format!(
            "{} has its user from a secret after `grove deploy {address}`, so that a rollback finds whoever gets in; then rotate it",
            pair.password
        ));
        return Ok(());
    };
    own(instance, &pair.user)?;
    let user = secrets.value(user)?;
    let is_key = pair.plain.is_none();
    let (next, password) = if is_key {
        let uid = Secret::uuid();
        let key = secrets.search_key(instance, &uid)?;
        (uid, key)
    } else {
        (Secret::new(alternate(user.expose())), Secret::password())
    };
    change.values.insert(pair.user.clone(), next);
    change.values.insert(pair.password.clone(), password);
    change.values.insert(pair.previous.clone(), user);
    // The user who takes the turn may be the one that the last rotation retired; a key never comes back.
    if reference(&pair.retired).is_some() && !is_key {
        change.gone.push(pair.retired.clone());
    }
    change.next.insert(follow_up(address, pair));
    change.next.insert(format!(
        "when that runs, `grove secret rotate {address} --finish`"
    ));
    Ok(())
}

fn follow_up(address: &Address, pair: &Pair) -> String {
    if pair.is_outside {
        format!("now `grove data apply {address}`, then `grove deploy {address} --wait`")
    } else {
        format!("now `grove deploy {address} --wait`")
    }
}

/// Takes away the users of before.
fn finish<'a>(
    arguments: &Arguments,
    workspace: &Workspace,
    fleet: &Fleet,
    secrets: &Secrets<'_>,
    instance: &'a Instance,
    output: &Output,
) -> Result<Change<'a>> {
    let address = &instance.address;
    let mut change = Change::of(instance);
    let chosen =
        |pair: &Pair| arguments.names.is_empty() || arguments.names.contains(&pair.password);
    let pairs: Vec<Pair> = rotation::unfinished(instance)
        .into_iter()
        .filter(chosen)
        .collect();
    if pairs.is_empty() {
        return Ok(change);
    }
    if !arguments.accept {
        runs(arguments, workspace, fleet, instance, &pairs, output)?;
    }
    for pair in pairs {
        let Some(previous) = instance.secrets.get(&pair.previous) else {
            continue;
        };
        own(instance, &pair.previous)?;
        change
            .values
            .insert(pair.retired.clone(), secrets.value(previous)?);
        change.gone.push(pair.previous.clone());
        let next = if pair.is_outside {
            format!("now `grove data apply {address}` takes the user of before away")
        } else {
            format!("now `grove deploy {address}` takes the user of before away")
        };
        change.next.insert(next);
    }
    Ok(change)
}

/// Whether the running release has the values of the first step, and every pod runs it.
fn runs(
    arguments: &Arguments,
    workspace: &Workspace,
    fleet: &Fleet,
    instance: &Instance,
    pairs: &[Pair],
    output: &Output,
) -> Result<()> {
    let address = &instance.address;
    let branch = arguments.remotes.open(workspace, fleet, &address.cluster)?;
    let sealed = releasing::ciphertexts(&branch.view()?, &address.instance)?;
    let is_released = |name: &str| {
        let today: Option<&SecretReference> = instance.secrets.get(name);
        let released = sealed.as_ref().and_then(|sealed| sealed.secrets.get(name));
        matches!((today, released), (Some(today), Some(released)) if today.digest == released.source)
    };
    let names = pairs.iter().flat_map(|pair| [&pair.user, &pair.password]);
    for name in names {
        if !is_released(name) {
            return Err(CommandError::refused(format!(
                "the running release does not have the new {name}: pods would be locked out"
            ))
            .hint(format!("`grove deploy {address} --wait` first")));
        }
    }
    let Some(tip) = branch.tip() else {
        return Ok(());
    };
    let wait = Wait {
        wait: true,
        timeout: arguments.timeout,
        reach: arguments.reach.clone(),
    };
    let release = following::Release::new(&branch, instance, tip)?;
    let (_, exit) = following::follow(&wait, &fleet.clusters, &[release], output)?;
    if exit == Exit::Done {
        return Ok(());
    }
    Err(CommandError::refused(
        "not every pod runs with the new user yet: those that do not would be locked out",
    )
    .hint("`grove status` shows which; `--accept` goes on all the same"))
}

/// Refuses a secret that other instances read as well, or that is not there.
fn own(instance: &Instance, name: &str) -> Result<()> {
    let address = &instance.address;
    let Some(reference) = instance.secrets.get(name) else {
        return Err(
            CommandError::new(Exit::No, format!("{address} has no secret {name}")).hint(format!(
                "`grove secret rotate {address} --plan` shows those that it has"
            )),
        );
    };
    if reference.file == layout::instance_secrets(address) {
        return Ok(());
    }
    Err(CommandError::refused(format!(
        "{name} stands in `{}`, which others read as well",
        reference.file
    ))
    .hint("`grove secret set` changes it there, for all of them"))
}
