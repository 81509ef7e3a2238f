//! A distribution's exact, hashed packages.
//!
//! ```no_run
//! # use grove_operations::{Around, Result, consent::Consent, fleet::lock};
//! # fn example(around: &Around) -> Result<()> {
//! let request = lock::Request {
//!     id: None,
//!     name: "verawood-1".to_owned(),
//! };
//! let plan = lock::plan(around, &request)?;
//! if plan.outcome().is_changed {
//!     plan.carry_out(&Consent::none())?;
//! }
//! # Ok(())
//! # }
//! ```

use grove_fleet::Fleet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::workspace::Workspace;
use crate::{
    Around, Error, Result,
    consent::{Consent, Needs},
    files,
    render::pipeline::Steps,
    request::RequestId,
    requests::{Answer, Begun, Journal, Once},
};

/// Resolves a distribution of the work tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// The distribution: `NAME` of `distributions/NAME.yaml`.
    pub name: String,
}

/// The lock of a distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Its file, from the fleet's root.
    pub file: String,
    /// Whether it is another than before.
    pub is_changed: bool,
}

impl Answer for Outcome {}

/// A distribution that is resolved.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    workspace: Workspace<'a>,
    needs: Needs,
    outcome: Outcome,
    text: String,
}

/// Resolves Tutor, plugins and packages to exact versions with hashes, by asking the package index.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Once::plan(around, "fleet/lock", id, request, |begun| {
        work(around, request, begun)
    })
    .map(Plan)
}

fn work<'a>(around: &'a Around, request: &Request, begun: &Begun) -> Result<Work<'a>> {
    let workspace = Workspace::open(around, None)?;
    let fleet = workspace.check().fleet;
    let distribution = fleet
        .distributions
        .get(&request.name)
        .ok_or_else(|| unknown(&fleet, &request.name))?;
    let steps = Steps {
        around,
        what: &distribution.name,
    };
    let text = grove_tutor::lock(distribution, &around.cache()?, &steps)?;
    around.progress_done();
    let file = format!("distributions/{}.lock", distribution.name);
    let path = workspace.root.join(&file);
    let is_same = fs_err::read_to_string(path).is_ok_and(|old| old == text);
    Ok(Work {
        workspace,
        needs: Needs::default(),
        outcome: Outcome {
            file,
            // Of a request that was interrupted it may be written already.
            is_changed: !is_same || begun.ground::<bool>().is_some(),
        },
        text,
    })
}

impl Plan<'_> {
    /// What must be agreed to: nothing.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// Whether the lock would change.
    pub fn outcome(&self) -> &Outcome {
        self.0.shown(|work| &work.outcome)
    }

    /// Writes the lock where it changes.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0.carry_out(consent, Work::carry_out)
    }
}

impl Work<'_> {
    fn carry_out(self, consent: &Consent, journal: &Journal<'_>) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        if self.outcome.is_changed {
            journal.begin(&true);
            let path = self.workspace.root.join(&self.outcome.file);
            files::write_atomically(&path, &self.text)?;
        }
        Ok(self.outcome)
    }
}

fn unknown(fleet: &Fleet, name: &str) -> Error {
    let names: Vec<_> = fleet.distributions.keys().map(String::as_str).collect();
    Error::usage(format!("no distribution `{name}` that can be read")).hint(if names.is_empty() {
        "`grove new distribution NAME` makes one; `grove check` shows what is wrong".to_owned()
    } else {
        format!(
            "there are: {}; `grove check` shows what is wrong",
            names.join(", ")
        )
    })
}
