//! One value of the operator's, written to the file of its owner.
//!
//! ```no_run
//! # use grove_operations::{Around, Result, consent::Consent, secrets::set};
//! # fn example(around: &Around) -> Result<()> {
//! let request = set::Request {
//!     id: None,
//!     owner: "prod/uni".to_owned(),
//!     name: "SMTP_PASSWORD".to_owned(),
//!     cluster_only: false,
//! };
//! let value = grove_seal::Secret::from("correct horse");
//! let outcome = set::plan(around, &request)?.carry_out(&Consent::none(), value)?;
//! assert_eq!(outcome.file, "clusters/prod/instances/uni/secrets.sops.yaml");
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;

use grove_fleet::Fleet;
use grove_seal::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    open::{Place, Secrets},
    owner,
};
use crate::{
    Around, Error, Result,
    consent::{Consent, Needs},
    fleet::workspace::Workspace,
    request::RequestId,
    requests::{Answer, Once},
};

/// The longest value, in bytes.
pub const LIMIT: usize = 1 << 20;

/// Sets one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Whose secret: `cluster/instance`, `cluster` (for all of its instances), or `group:NAME`.
    pub owner: String,
    /// The name, as Tutor or a plugin has it: `SMTP_PASSWORD`.
    pub name: String,
    /// A secret of the cluster itself, which no instance may read.
    #[serde(default)]
    pub cluster_only: bool,
}

/// Where the value stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Its SOPS file, from the fleet's root.
    pub file: String,
}

impl Answer for Outcome {}

/// A value that is to be set.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    workspace: Workspace<'a>,
    fleet: Fleet,
    name: String,
    place: Place,
    needs: Needs,
}

/// Looks where the value goes. The value itself is not asked for yet.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Once::plan(around, "secrets/set", id, request, |_| {
        work(around, request)
    })
    .map(Plan)
}

fn work<'a>(around: &'a Around, request: &Request) -> Result<Work<'a>> {
    let workspace = Workspace::open(around, None)?;
    let fleet = workspace.check().fleet;
    let name = &request.name;
    let is_plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_uppercase()) || !name.chars().all(is_plain) {
        return Err(
            Error::usage(format!("`{name}` cannot be the name of a secret"))
                .hint("names are upper-case letters, digits and `_`, as Tutor's keys"),
        );
    }
    Ok(Work {
        place: owner::place(&workspace, &fleet, &request.owner, request.cluster_only)?,
        workspace,
        fleet,
        name: name.clone(),
        needs: Needs::default(),
    })
}

impl Plan<'_> {
    /// What must be agreed to: nothing.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// Whether the value was set before by this request: then none is asked for, and one that is given is not
    /// looked at. Nothing of a value is kept.
    pub fn is_done(&self) -> bool {
        self.0.open().is_none()
    }

    /// Where the value goes.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome(Work::outcome)
    }

    /// Writes the value, of at most [`LIMIT`] bytes. What the file holds beside it stays as it is; a file
    /// that is missing is made.
    pub fn carry_out(self, consent: &Consent, value: Secret) -> Result<Outcome> {
        self.0
            .carry_out(consent, |work, consent, _| work.carry_out(consent, value))
    }
}

impl Work<'_> {
    fn outcome(&self) -> Outcome {
        Outcome {
            file: self.place.file.clone(),
        }
    }

    fn carry_out(self, consent: &Consent, value: Secret) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        match value.expose().len() {
            0 => return Err(Error::usage("a secret is not empty")),
            length if length > LIMIT => return Err(Error::usage("a secret is at most 1 MiB")),
            _ => {}
        }
        let outcome = self.outcome();
        let secrets = Secrets::new(&self.workspace, &self.fleet);
        secrets.write(&self.place, &BTreeMap::from([(self.name, value)]))?;
        Ok(outcome)
    }
}
