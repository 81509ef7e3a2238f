//! `grove secret generate`.

use std::collections::{BTreeMap, BTreeSet};

use grove_fleet::{
    layout,
    model::{Instance, Lock},
    rotation::{self, Pair},
};
use grove_seal::Secret;
use grove_tutor::{Generator, SecretClass, WorkerOptions};
use zeroize::Zeroizing;

use crate::{
    cli::Global,
    commands::selection::{Agreement, Selection},
    error::{CommandError, Exit, Result},
    output::Output,
    pipeline::Pipeline,
    secrets::{Place, Secrets},
    workspace::{Workspace, is_json},
};

/// Make the secrets that Tutor and the plugins declare and that do not exist yet.
///
/// Asks Tutor and the enabled plugins which secrets they declare, makes each that is missing, and
/// writes them to the instance's own file. An existing value is never touched, and none is printed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove secret generate prod/uni\n\
    \x20 grove secret generate --all --dry-run")]
pub(crate) struct Arguments {
    /// List what would be made, and make nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    agreement: Agreement,
    #[command(flatten)]
    selection: Selection,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    if global.rev.is_some() {
        return Err(CommandError::usage(
            "this writes to the work tree; leave `--rev` out",
        ));
    }
    arguments.selection.must_be_stated()?;
    let workspace = Workspace::open(global)?;
    // Missing secrets are errors of the fleet; this command is what mends them.
    let fleet = workspace.check()?.fleet;
    let pipeline = Pipeline::new(output, true)?;
    let secrets = Secrets::new(&workspace, &fleet);
    let mut rows = BTreeMap::new();
    let instances = arguments.selection.select(&fleet)?;
    if !arguments.dry_run {
        arguments.agreement.ask(&instances, output)?;
    }
    for instance in instances {
        output.progress(&format!("{}: asking Tutor", instance.address));
        let distribution = fleet
            .distributions
            .get(&instance.distribution)
            .ok_or_else(|| {
                CommandError::new(
                    Exit::No,
                    format!("{} names an unknown distribution", instance.address),
                )
                .hint("`grove check` shows where")
            })?;
        let lock: &Lock = distribution.lock.as_ref().ok_or_else(|| {
            CommandError::new(Exit::No, format!("`{}` is not locked", distribution.name))
                .hint(format!("run `grove lock {}`", distribution.name))
        })?;
        let input = grove_render::request(instance)?;
        let environment = pipeline.environment(distribution, lock)?;
        let generator = Generator::new(
            environment,
            pipeline.cache(),
            WorkerOptions::default().limits,
        );
        let declared = generator.declared(&input)?;
        let missing: BTreeSet<String> = declared
            .iter()
            .filter(|secret| secret.class != SecretClass::Fixed)
            .filter(|secret| !instance.secrets.contains_key(&secret.name))
            .map(|secret| secret.name.clone())
            .filter(|name| !instance.data.is_of_a_server(name))
            .collect();
        let users = users(instance);
        let names: BTreeSet<String> = users
            .iter()
            .flat_map(|pair| [pair.user.clone(), pair.password.clone()])
            .filter(|name| !instance.secrets.contains_key(name))
            .collect();
        let mut missing = missing;
        missing.retain(|name| !names.contains(name));
        let is_complete = missing.is_empty() && users.is_empty();
        if !arguments.dry_run && !is_complete {
            let known = known(
                &secrets,
                instance,
                declared.iter().flat_map(|secret| &secret.from),
            )?;
            let mut values: BTreeMap<String, Secret> = generator
                .generate(&input, &missing, &known)?
                .into_iter()
                .map(|(name, value)| (name, Secret::from(value.as_str())))
                .collect();
            for pair in &users {
                values.extend(made(&secrets, instance, pair)?);
            }
            let place = Place {
                file: layout::instance_secrets(&instance.address),
                below: Vec::new(),
            };
            secrets.write(&place, &values)?;
        }
        missing.extend(names);
        rows.insert(instance.address.to_string(), missing);
    }
    output.progress_done();
    if is_json(output) {
        output.json(&serde_json::json!({
            "version": 1, "dry_run": arguments.dry_run, "generated": rows,
        }))?;
    } else {
        for (address, names) in &rows {
            if names.is_empty() {
                output.print(&format!("{address}: nothing is missing\n"))?;
            } else {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let verb = if arguments.dry_run {
                    "would make"
                } else {
                    "made"
                };
                output.print(&format!("{address}: {verb} {}\n", names.join(", ")))?;
            }
        }
    }
    Ok(Exit::Done)
}

/// Users that Grove makes on servers and whose name or password is missing.
fn users(instance: &Instance) -> Vec<Pair> {
    let is_there = |name: &str| instance.secrets.contains_key(name);
    let pairs = rotation::pairs(instance).into_iter();
    pairs
        .filter(|pair| pair.is_outside && !(is_there(&pair.user) && is_there(&pair.password)))
        .collect()
}

/// What is missing of a user's name and password. Passwords are long, and the name is a secret as well: a
/// rotation changes both.
fn made(
    secrets: &Secrets<'_>,
    instance: &Instance,
    pair: &Pair,
) -> Result<BTreeMap<String, Secret>> {
    let (user, password) = if let Some(plain) = &pair.plain {
        (Secret::from(plain.as_str()), Secret::password())
    } else {
        let uid = match instance.secrets.get(&pair.user) {
            Some(reference) => secrets.value(reference)?,
            None if instance.secrets.contains_key(&pair.password) => {
                return Err(CommandError::refused(format!(
                    "{}: whose key {} is, nobody knows without {}",
                    instance.address, pair.password, pair.user
                ))
                .hint(format!(
                    "`grove secret remove {} {}` first, and it is made anew",
                    instance.address, pair.password
                )));
            }
            None => Secret::uuid(),
        };
        let key = secrets.search_key(instance, &uid)?;
        (uid, key)
    };
    let mut values = BTreeMap::from([(pair.user.clone(), user), (pair.password.clone(), password)]);
    values.retain(|name, _| !instance.secrets.contains_key(name));
    Ok(values)
}

/// The values that exist and from which others are derived.
fn known<'a>(
    secrets: &Secrets<'_>,
    instance: &Instance,
    names: impl Iterator<Item = &'a String>,
) -> Result<BTreeMap<String, Zeroizing<String>>> {
    let mut known = BTreeMap::new();
    for name in names {
        if let Some(reference) = instance.secrets.get(name) {
            let value = secrets.value(reference)?;
            known.insert(name.clone(), Zeroizing::new(value.expose().to_owned()));
        }
    }
    Ok(known)
}
