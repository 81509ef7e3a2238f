//! The secrets that Tutor and the plugins declare and that do not exist yet.
//!
//! [`plan`] asks Tutor which they are; carried out, each is made and written to the instance's own file. An
//! existing value is never touched.
//!
//! ```no_run
//! # use grove_operations::{Around, Result, consent::Consent, request::Target, secrets::generate};
//! # fn example(around: &Around) -> Result<()> {
//! let request = generate::Request {
//!     id: None,
//!     target: Target::of("prod/uni"),
//! };
//! let plan = generate::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! assert!(outcome.generated.contains_key("prod/uni"));
//! # Ok(())
//! # }
//! ```

use std::collections::{BTreeMap, BTreeSet};

use grove_fleet::{
    Address, Fleet, layout,
    model::Instance,
    rotation::{self, Pair},
};
use grove_seal::Secret;
use grove_tutor::SecretClass;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    open::{Place, Secrets},
    tutor::Asked,
};
use crate::{
    Around, Doing, Error, Kind, Result,
    consent::{Consent, Needs},
    fleet::{find, workspace::Workspace},
    render::pipeline::Pipeline,
    request::{RequestId, Target},
    requests::{Answer, Begun, Journal, Once},
};

/// Makes the secrets that instances lack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    pub id: Option<RequestId>,
    /// Which instances, of the work tree.
    pub target: Target,
}

/// What was made, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Whether nothing was written: this is what would be made.
    pub dry_run: bool,
    /// The names, by `cluster/instance`.
    pub generated: BTreeMap<String, BTreeSet<String>>,
}

impl Answer for Outcome {}

/// What is missing, by name.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    workspace: Workspace<'a>,
    fleet: Fleet,
    needs: Needs,
    instances: Vec<Missing>,
    /// What was missing when the request began that was interrupted since.
    before: BTreeMap<String, BTreeSet<String>>,
}

/// What one instance lacks.
struct Missing {
    address: Address,
    asked: Asked,
    /// What Tutor makes.
    names: BTreeSet<String>,
    /// What declared secrets are derived from.
    from: BTreeSet<String>,
    /// The users that are made.
    users: Vec<Pair>,
    /// The names of users and passwords that are made.
    of_users: BTreeSet<String>,
}

/// Asks Tutor and the enabled plugins what is missing, which needs no key.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Once::plan(around, "secrets/generate", id, request, |begun| {
        work(around, request, begun)
    })
    .map(Plan)
}

fn work<'a>(around: &'a Around, request: &Request, begun: &Begun) -> Result<Work<'a>> {
    request.target.must_be_work_tree()?;
    request.target.selection.must_be_stated()?;
    let workspace = Workspace::open(around, None)?;
    // Missing secrets are errors of the fleet; this operation is what mends them.
    let fleet = workspace.check().fleet;
    let instances = request.target.choose(&fleet)?;
    let needs = request.target.needs(&instances);
    let pipeline = Pipeline::new(around, true)?;
    let missing: Result<Vec<Missing>> = instances
        .into_iter()
        .map(|instance| missing(around, &pipeline, &fleet, instance))
        .collect();
    around.progress_done();
    Ok(Work {
        instances: missing?,
        before: begun.ground().unwrap_or_default(),
        workspace,
        fleet,
        needs,
    })
}

impl Plan<'_> {
    /// What must be agreed to.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// What would be made.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome(Work::outcome)
    }

    /// Makes all of it, and then writes one file an instance. One that is not written is as it was, and can
    /// be made later.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0.carry_out(consent, Work::carry_out)
    }
}

impl Work<'_> {
    fn outcome(&self) -> Outcome {
        let rows = self.instances.iter().map(|missing| {
            let names = missing.names.union(&missing.of_users).cloned().collect();
            (missing.address.to_string(), names)
        });
        let mut generated: BTreeMap<String, BTreeSet<String>> = rows.collect();
        for (instance, names) in &self.before {
            let all = generated.entry(instance.clone()).or_default();
            all.extend(names.iter().cloned());
        }
        Outcome {
            dry_run: true,
            generated,
        }
    }

    fn carry_out(self, consent: &Consent, journal: &Journal<'_>) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        let around = self.workspace.around;
        let secrets = Secrets::new(&self.workspace, &self.fleet);
        let mut files = Vec::new();
        for missing in &self.instances {
            if missing.names.is_empty() && missing.users.is_empty() {
                continue;
            }
            around.progress(&format!("{}: making secrets", missing.address));
            let instance = find::find(&self.fleet, &missing.address)?;
            let place = Place {
                file: layout::instance_secrets(&missing.address),
                below: Vec::new(),
            };
            files.push((place, values(missing, &secrets, instance)?));
        }
        if !files.is_empty() {
            journal.begin(&self.outcome().generated);
        }
        for (place, values) in &files {
            secrets.write(place, values)?;
        }
        around.progress_done();
        Ok(Outcome {
            dry_run: false,
            ..self.outcome()
        })
    }
}

/// What an instance lacks.
fn missing(
    around: &Around,
    pipeline: &Pipeline<'_>,
    fleet: &Fleet,
    instance: &Instance,
) -> Result<Missing> {
    around.doing(Doing::AskingTutor {
        instance: &instance.address.to_string(),
    });
    let distribution = fleet
        .distributions
        .get(&instance.distribution)
        .ok_or_else(|| {
            Error::new(
                Kind::No,
                format!("{} names an unknown distribution", instance.address),
            )
            .hint("`grove check` shows where")
        })?;
    let lock = distribution.lock.as_ref().ok_or_else(|| {
        Error::new(Kind::No, format!("`{}` is not locked", distribution.name))
            .hint(format!("run `grove lock {}`", distribution.name))
    })?;
    let asked = Asked::new(pipeline, instance, distribution, lock)?;
    let declared = asked.generator.declared(&asked.input)?;
    let users = users(instance);
    let of_users: BTreeSet<String> = users
        .iter()
        .flat_map(|pair| [pair.user.clone(), pair.password.clone()])
        .filter(|name| !instance.secrets.contains_key(name))
        .collect();
    let names = declared
        .iter()
        .filter(|secret| secret.class != SecretClass::Fixed)
        .map(|secret| &secret.name)
        .filter(|name| !instance.secrets.contains_key(*name))
        .filter(|name| !instance.data.is_of_a_server(name) && !of_users.contains(*name))
        .cloned()
        .collect();
    Ok(Missing {
        address: instance.address.clone(),
        asked,
        names,
        from: declared
            .into_iter()
            .flat_map(|secret| secret.from)
            .collect(),
        users,
        of_users,
    })
}

/// Values for what an instance lacks.
fn values(
    missing: &Missing,
    secrets: &Secrets<'_>,
    instance: &Instance,
) -> Result<BTreeMap<String, Secret>> {
    let known = known(secrets, instance, &missing.from)?;
    let asked = &missing.asked;
    let mut values: BTreeMap<String, Secret> = asked
        .generator
        .generate(&asked.input, &missing.names, &known)?
        .into_iter()
        .map(|(name, value)| (name, Secret::from(value.as_str())))
        .collect();
    for pair in &missing.users {
        values.extend(made(secrets, instance, pair)?);
    }
    Ok(values)
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
                return Err(Error::refused(format!(
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
fn known(
    secrets: &Secrets<'_>,
    instance: &Instance,
    names: &BTreeSet<String>,
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
