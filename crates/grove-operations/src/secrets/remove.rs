//! A secret taken out of its file.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, secrets::remove};
//!
//! let request = remove::Request {
//!     id: None,
//!     owner: "prod/uni".to_owned(),
//!     name: "SMTP_PASSWORD".to_owned(),
//!     cluster_only: false,
//! };
//! let plan = remove::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;

use grove_fleet::Fleet;
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
    requests::{Answer, Begun, Journal, Once},
};

/// Takes a secret out of its file. Git's history keeps the encrypted value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Whose secret: `cluster/instance`, `cluster` (for all of its instances), or `group:NAME`.
    pub owner: String,
    /// The name, as the file has it.
    pub name: String,
    /// A secret of the cluster itself, which no instance may read.
    #[serde(default)]
    pub cluster_only: bool,
}

/// Where the secret stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Its SOPS file, from the fleet's root.
    pub file: String,
}

impl Answer for Outcome {}

/// A secret that is to go.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    workspace: Workspace<'a>,
    fleet: Fleet,
    name: String,
    place: Place,
    is_there: bool,
    needs: Needs,
}

/// Looks for the secret; no key is needed for that.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Once::plan(around, "secrets/remove", id, request, |begun| {
        work(around, request, begun)
    })
    .map(Plan)
}

fn work<'a>(around: &'a Around, request: &Request, begun: &Begun) -> Result<Work<'a>> {
    let workspace = Workspace::open(around, None)?;
    let fleet = workspace.check().fleet;
    let place = owner::place(&workspace, &fleet, &request.owner, request.cluster_only)?;
    let bytes = workspace.snapshot.bytes(&place.file);
    let root = bytes.and_then(|bytes| grove_yaml::parse(bytes, grove_yaml::Limits::default()).root);
    let below: Vec<&str> = place.below.iter().map(String::as_str).collect();
    let map = root.as_ref().and_then(|root| root.at(&below));
    let is_there = map.and_then(|map| map.get(&request.name)).is_some();
    // Of a request that was interrupted it may be gone already.
    if !is_there && begun.ground::<bool>().is_none() {
        return Err(Error::usage(format!(
            "`{}` has no secret `{}` of that owner",
            place.file, request.name
        )));
    }
    Ok(Work {
        is_there,
        workspace,
        fleet,
        name: request.name.clone(),
        place,
        needs: Needs::default(),
    })
}

impl Plan<'_> {
    /// What must be agreed to: nothing.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// Where the secret stands.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome(Work::outcome)
    }

    /// Takes it out. Every other value stays as it is.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0.carry_out(consent, Work::carry_out)
    }
}

impl Work<'_> {
    fn outcome(&self) -> Outcome {
        Outcome {
            file: self.place.file.clone(),
        }
    }

    fn carry_out(self, consent: &Consent, journal: &Journal<'_>) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        if self.is_there {
            journal.begin(&true);
            let secrets = Secrets::new(&self.workspace, &self.fleet);
            secrets.change(&self.place, &BTreeMap::new(), &[&self.name])?;
        }
        Ok(self.outcome())
    }
}
