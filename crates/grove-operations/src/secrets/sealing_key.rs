//! A new sealing key for a cluster; the older ones are kept.
//!
//! The key pair goes into the fleet. It is in use once it is committed, `grove cluster bootstrap` has
//! installed it beside the older ones, and a deploy has sealed everything again.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, secrets::sealing_key};
//!
//! let request = sealing_key::Request {
//!     id: None,
//!     cluster: "prod".to_owned(),
//! };
//! let plan = sealing_key::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;

use grove_fleet::{Fleet, layout};
use grove_seal::{
    Secret,
    keys::{KeyPair, SEALING_BITS, new_key_pair},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    names::{SEALING_KEY, retired_key},
    open::{Place, Secrets},
};
use crate::{
    Around, Error, Kind, Result,
    consent::{Consent, Needs},
    fleet::{find::find_cluster, history, workspace::Workspace},
    request::RequestId,
    requests::{Answer, Begun, Journal, Once},
};

/// Gives a cluster a new sealing key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// The cluster.
    pub cluster: String,
}

/// The new key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The cluster.
    pub cluster: String,
    /// The file with the key's certificate, from the fleet's root.
    pub file: String,
}

impl Answer for Outcome {}

/// A sealing key that is to be replaced.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    workspace: Workspace<'a>,
    fleet: Fleet,
    outcome: Outcome,
    needs: Needs,
    /// The certificate of today.
    certificate: String,
    /// The private key that the cluster's secrets hold.
    private: Secret,
    /// The certificate that goes with it, where it stands beside it.
    own: Option<String>,
    /// The certificate of before, where the request was interrupted since.
    before: Option<String>,
}

/// Opens the key of today.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Once::plan(around, "secrets/sealing_key", id, request, |begun| {
        work(around, request, begun)
    })
    .map(Plan)
}

fn work<'a>(around: &'a Around, request: &Request, begun: &Begun) -> Result<Work<'a>> {
    let workspace = Workspace::open(around, None)?;
    let fleet = workspace.check().fleet;
    let cluster = find_cluster(&fleet, &request.cluster)?;
    let lacks = |what: &str| {
        Error::new(Kind::No, format!("{} has no {what}", cluster.name))
            .hint("restore it from Git's history")
    };
    let certificate = cluster
        .sealing
        .as_ref()
        .ok_or_else(|| lacks("`sealing.pem`"))?;
    let reference = cluster
        .secrets
        .get(SEALING_KEY)
        .ok_or_else(|| lacks(&format!("`cluster.{SEALING_KEY}` among its secrets")))?;
    let (private, own) = KeyPair::split(&Secrets::new(&workspace, &fleet).value(reference)?);
    Ok(Work {
        before: begun.ground(),
        outcome: Outcome {
            cluster: cluster.name.clone(),
            file: layout::sealing(&cluster.name),
        },
        needs: Needs::default(),
        certificate: certificate.pem.clone(),
        private,
        own,
        workspace,
        fleet,
    })
}

impl Plan<'_> {
    /// What must be agreed to: nothing.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// Where the new key's certificate goes.
    pub fn outcome(&self) -> &Outcome {
        self.0.shown(|work| &work.outcome)
    }

    /// Makes the key and writes it: first the private half with the older one, then the certificate.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0.carry_out(consent, Work::carry_out)
    }
}

impl Work<'_> {
    fn carry_out(self, consent: &Consent, journal: &Journal<'_>) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        // A rotation before this one may have been interrupted between its two files: it is finished, and
        // no further key is made.
        let new = match self.own {
            Some(own) if own.trim() != self.certificate.trim() => own,
            // This request wrote both of them, and had no time to say so.
            Some(_) if self.before.is_some_and(|before| before != self.certificate) => {
                return Ok(self.outcome);
            }
            _ => {
                journal.begin(&self.certificate);
                let around = self.workspace.around;
                around.progress("making the sealing key");
                let new = new_key_pair(SEALING_BITS, "sealed-secret", around.now())?;
                around.progress_done();
                let place = Place {
                    file: layout::cluster_secrets(&self.outcome.cluster),
                    below: vec!["cluster".to_owned()],
                };
                let retired = retired_key(&self.certificate)?;
                let old = KeyPair {
                    private: self.private,
                    certificate: self.certificate,
                };
                let values =
                    BTreeMap::from([(retired, old.join()), (SEALING_KEY.to_owned(), new.join())]);
                Secrets::new(&self.workspace, &self.fleet).write(&place, &values)?;
                new.certificate
            }
        };
        history::write(self.workspace.around, &self.outcome.file, &new)?;
        Ok(self.outcome)
    }
}
