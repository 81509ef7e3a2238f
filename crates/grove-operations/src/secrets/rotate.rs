//! Other values for secrets, each as its class needs it.
//!
//! Users of databases are rotated in two steps, in which no request fails: a second user is made and
//! deployed; when every pod has it, the first one is taken away. [`plan`] says by name what would be
//! written; values are made when it is carried out, all of them before the first file is written.
//!
//! ```no_run
//! # use grove_operations::{Around, Result, consent::Consent, request::Target, secrets::rotate};
//! # fn example(around: &Around) -> Result<()> {
//! let request = rotate::Request {
//!     id: None,
//!     target: Target::of("prod/uni"),
//!     step: rotate::Step::Begin {
//!         names: vec!["OPENEDX_MYSQL_PASSWORD".to_owned()],
//!     },
//! };
//! let plan = rotate::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! for row in plan.carry_out(&consent)?.rotated {
//!     assert!(row.written.contains("OPENEDX_MYSQL_PASSWORD"));
//! }
//! # Ok(())
//! # }
//! ```

mod begin;
mod change;
mod finish;
mod values;

use std::collections::BTreeMap;

use grove_fleet::{Fleet, layout, model::Instance};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::change::Change;
pub use self::change::Row;
use super::open::{Place, Secrets};
use crate::{
    Around, Error, Result,
    consent::{Consent, Need, Needs},
    fleet::{find::find, workspace::Workspace},
    request::{RequestId, Target},
    requests::{Answer, Begun, Journal, Once},
};

/// Rotates secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Which instances, of the work tree.
    pub target: Target,
    /// Which step of the rotation.
    pub step: Step,
}

/// A step of a rotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// The first step, or the only one.
    Begin {
        /// The secrets, by name: one at least.
        names: Vec<String>,
    },
    /// The second step of those that have had their first.
    Finish {
        /// The passwords, by name; all of them where none is named.
        #[serde(default)]
        names: Vec<String>,
        /// How long is waited for the running release, in seconds. None does not look whether the first
        /// step runs, which must be agreed to.
        wait: Option<u64>,
    },
}

/// What was written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// A row for each instance whose file was written.
    pub rotated: Vec<Row>,
    /// Why the others were not; none where all of it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Error>,
}

impl Answer for Outcome {
    fn is_whole(&self) -> bool {
        self.failure.is_none()
    }
}

/// What a request would write.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    workspace: Workspace<'a>,
    fleet: Fleet,
    needs: Needs,
    /// What was written before the request was interrupted.
    written: Ground,
    changes: Vec<Change>,
}

/// What is about to be written, by the instance: whoever comes back after an interruption sees by it what was.
type Ground = BTreeMap<String, Before>;

/// An instance before its file is written.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Before {
    /// What is to be written.
    row: Row,
    /// The digests of the ciphertexts of before, by the secret; none of one that is not there.
    digests: BTreeMap<String, Option<String>>,
}

impl Before {
    fn of(change: &Change, instance: &Instance) -> Self {
        let row = change.row();
        let names = row.written.iter().chain(&change.gone);
        Self {
            digests: names
                .map(|name| (name.clone(), digest(instance, name)))
                .collect(),
            row,
        }
    }

    /// Whether the file was written since: it is whole, or as it was.
    fn is_over(&self, instance: &Instance) -> bool {
        let mut digests = self.digests.iter();
        digests.any(|(name, before)| digest(instance, name) != *before)
    }
}

fn digest(instance: &Instance, name: &str) -> Option<String> {
    let reference = instance.secrets.get(name)?;
    Some(reference.digest.clone())
}

/// Looks what each secret needs, and of a second step whether the first one runs. No key is needed.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Once::plan(around, "secrets/rotate", id, request, |begun| {
        work(around, request, begun)
    })
    .map(Plan)
}

fn work<'a>(around: &'a Around, request: &Request, begun: &Begun) -> Result<Work<'a>> {
    request.target.must_be_work_tree()?;
    request.target.selection.must_be_stated()?;
    let workspace = Workspace::open(around, None)?;
    let fleet = workspace.check().fleet;
    let instances = request.target.selection.select(&fleet)?;
    if matches!(&request.step, Step::Begin { names } if names.is_empty()) {
        return Err(Error::usage("which secret? name it with `--secret`")
            .hint("`--plan` shows all of them, and what each needs"));
    }
    request.target.choose(&fleet)?;
    let mut needs = request.target.needs(&instances);
    let mut written: Ground = begun.ground().unwrap_or_default();
    written.retain(|address, before| {
        let mut instances = instances.iter();
        let instance = instances.find(|one| one.address.to_string() == *address);
        instance.is_some_and(|instance| before.is_over(instance))
    });
    let mut changes = Vec::new();
    for instance in instances {
        if written.contains_key(&instance.address.to_string()) {
            continue;
        }
        let change = match &request.step {
            Step::Begin { names } => begin::change(instance, names, &mut needs),
            Step::Finish { names, wait } => finish::change(instance, names).and_then(|change| {
                match wait {
                    _ if change.ended.is_empty() => {}
                    None => needs.extend([Need::Confirm {
                        what: format!("first step of {} was not looked at", instance.address),
                        meaning: format!(
                            "pods of {} that do not have the new user yet would be locked out",
                            instance.address
                        ),
                    }]),
                    Some(seconds) => {
                        finish::runs(&workspace, &fleet, instance, &change.ended, *seconds)?;
                    }
                }
                Ok(change)
            }),
        };
        changes.push(change.map_err(|error| error.context(instance.address.to_string()))?);
    }
    around.progress_done();
    changes.retain(|change| !change.is_empty());
    Ok(Work {
        workspace,
        fleet,
        needs,
        written,
        changes,
    })
}

impl Plan<'_> {
    /// What must be agreed to.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// What would be written.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome(Work::outcome)
    }

    /// Makes the values, and then writes one file an instance, each whole or not at all.
    ///
    /// A request with a name that was interrupted goes on with the instances that it did not reach.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0.carry_out(consent, Work::carry_out)
    }
}

impl Work<'_> {
    fn outcome(&self) -> Outcome {
        let changes = self.changes.iter().map(Change::row);
        let mut rotated: Vec<Row> = self.rows().chain(changes).collect();
        rotated.sort_by(|one, other| one.instance.cmp(&other.instance));
        Outcome {
            rotated,
            failure: None,
        }
    }

    /// What was written before.
    fn rows(&self) -> impl Iterator<Item = Row> {
        self.written.values().map(|before| before.row.clone())
    }

    fn carry_out(self, consent: &Consent, journal: &Journal<'_>) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        let around = self.workspace.around;
        let secrets = Secrets::new(&self.workspace, &self.fleet);
        let mut made = Vec::new();
        for change in &self.changes {
            let values = values::make(around, &self.fleet, &secrets, change);
            made.push(values.map_err(|error| error.context(change.address.to_string()))?);
        }
        around.progress_done();
        let mut ground = self.written.clone();
        for change in &self.changes {
            let before = Before::of(change, find(&self.fleet, &change.address)?);
            ground.insert(change.address.to_string(), before);
        }
        if !self.changes.is_empty() {
            journal.begin(&ground);
        }
        let mut outcome = Outcome {
            rotated: self.rows().collect(),
            failure: None,
        };
        for (change, values) in self.changes.iter().zip(made) {
            let place = Place {
                file: layout::instance_secrets(&change.address),
                below: Vec::new(),
            };
            let gone: Vec<&str> = change.gone.iter().map(String::as_str).collect();
            if let Err(error) = secrets.change(&place, &values, &gone) {
                outcome.failure = Some(error);
                break;
            }
            outcome.rotated.push(change.row());
        }
        let rotated = &mut outcome.rotated;
        rotated.sort_by(|one, other| one.instance.cmp(&other.instance));
        Ok(outcome)
    }
}
