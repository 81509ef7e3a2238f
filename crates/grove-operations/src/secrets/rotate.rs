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

use grove_fleet::{Fleet, layout};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::change::Change;
pub use self::change::Row;
use super::open::{Place, Secrets};
use crate::{
    Around, Error, Result,
    consent::{Consent, Need, Needs},
    fleet::workspace::Workspace,
    request::{RequestId, Target},
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

/// What a request would write.
pub struct Plan<'a> {
    workspace: Workspace<'a>,
    fleet: Fleet,
    needs: Needs,
    changes: Vec<Change>,
}

/// Looks what each secret needs, and of a second step whether the first one runs. No key is needed.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let _entered = around.enter()?;
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
    let mut changes = Vec::new();
    for instance in instances {
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
    Ok(Plan {
        workspace,
        fleet,
        needs,
        changes,
    })
}

impl Plan<'_> {
    /// What must be agreed to.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What would be written.
    pub fn outcome(&self) -> Outcome {
        Outcome {
            rotated: self.changes.iter().map(Change::row).collect(),
            failure: None,
        }
    }

    /// Makes the values, and then writes one file an instance, each whole or not at all.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        let _entered = self.workspace.around.enter()?;
        self.needs.met_by(consent)?;
        let around = self.workspace.around;
        let secrets = Secrets::new(&self.workspace, &self.fleet);
        let mut made = Vec::new();
        for change in &self.changes {
            let values = values::make(around, &self.fleet, &secrets, change);
            made.push(values.map_err(|error| error.context(change.address.to_string()))?);
        }
        around.progress_done();
        let mut outcome = Outcome {
            rotated: Vec::new(),
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
        Ok(outcome)
    }
}
