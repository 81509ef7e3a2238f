//! The databases, users and buckets of one instance go, with all that is in them.
//!
//! Only what Grove made: a database that was adopted stays, and its user goes. The instance has to be stopped,
//! or never to have run.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, jobs::data::remove};
//!
//! let request = remove::Request {
//!     id: None,
//!     revision: None,
//!     instance: "prod/uni".to_owned(),
//!     timeout: 600,
//! };
//! let plan = remove::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use grove_fleet::{
    Fleet,
    model::{Instance, State},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Outcome, Prepared,
    task::{Action, summary},
    timeout,
};
use crate::{
    Around, Error, Result,
    consent::{Consent, Need, Needs},
    fleet::{selection::Selection, workspace::Workspace},
    release::remotes,
    request::RequestId,
    requests::Once,
};

/// Removes what Grove made for one instance outside of its namespace.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// The fleet's revision; none for the files of its work tree.
    #[serde(default)]
    pub revision: Option<String>,
    /// `cluster/instance`.
    pub instance: String,
    /// How long to watch, in seconds; the Job goes on.
    #[serde(default = "timeout")]
    pub timeout: u64,
}

/// What a request would do.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    request: Request,
    needs: Needs,
    tasks: Prepared<'a>,
}

/// Reads the fleet, which must be sound: what must be agreed to, before anything else is asked.
pub fn look(around: &Around, request: &Request) -> Result<Needs> {
    let _entered = around.enter()?;
    let fleet = Workspace::open(around, request.revision.as_deref())?.sound()?;
    Ok(needs(choose(request, &fleet)?))
}

/// Reads the fleet, which must be sound, and the deploy branch, opens secrets and makes the Job.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Once::plan(around, "jobs/data/remove", id, request, |_| {
        work(around, request)
    })
    .map(Plan)
}

fn work<'a>(around: &'a Around, request: &Request) -> Result<Work<'a>> {
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.sound()?;
    let instance = choose(request, &fleet)?;
    let needs = needs(instance);
    if instance.state != State::Stopped {
        let address = &instance.address;
        let branch = remotes::open(&workspace, &fleet, &address.cluster)?;
        if branch.view()?.latest(&address.instance)?.is_some() {
            return Err(Error::refused(format!("{address} runs on this data"))
                .hint(format!("`grove instance stop {address}` first")));
        }
    }
    Ok(Work {
        request: request.clone(),
        needs,
        tasks: Prepared::new(
            Action::Remove,
            request.id.as_ref(),
            workspace,
            fleet,
            |fleet| Ok(vec![choose(request, fleet)?]),
        )?,
    })
}

impl Plan<'_> {
    /// What must be agreed to: that the data goes.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// Runs the Job, which verifies in the end that nothing is left. One that failed is no error.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0
            .carry_out(consent, |work, consent, _| work.carry_out(consent))
    }
}

impl Work<'_> {
    fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        let results = self.tasks.run(self.request.timeout)?;
        Ok(self.tasks.outcome(results))
    }
}

/// The one instance that is meant.
fn choose<'f>(request: &Request, fleet: &'f Fleet) -> Result<&'f Instance> {
    match Selection::of(&request.instance).select(fleet)?.as_slice() {
        [instance] => Ok(instance),
        _ => Err(Error::usage(
            "this removes the data of one instance at a time",
        )),
    }
}

fn needs(instance: &Instance) -> Needs {
    Needs::from_iter([Need::DataRemoval {
        instance: instance.address.to_string(),
        what: summary(instance),
    }])
}
