//! What instances need on their servers is made, and verified with their own credentials.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, jobs::data::apply, request::Target};
//!
//! let request = apply::Request {
//!     id: None,
//!     target: Target::of("prod/uni"),
//!     timeout: 600,
//! };
//! let plan = apply::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Outcome, Prepared, task::Action, timeout};
use crate::{
    Around, Result,
    consent::{Consent, Needs},
    fleet::workspace::Workspace,
    request::{RequestId, Target},
    requests::Once,
};

/// Makes what instances need on their servers. Databases and users that are there already stay, passwords
/// become those of the fleet, and a user whom a rotation has retired goes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Which instances.
    pub target: Target,
    /// How long to watch, in seconds; the Jobs go on.
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

/// Reads the fleet, which must be sound, opens its secrets and makes the Jobs.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Once::plan(around, "jobs/data/apply", id, request, |_| {
        work(around, request)
    })
    .map(Plan)
}

fn work<'a>(around: &'a Around, request: &Request) -> Result<Work<'a>> {
    let target = &request.target;
    target.selection.must_be_stated()?;
    let workspace = Workspace::open(around, target.revision.as_deref())?;
    let fleet = workspace.sound()?;
    let mut needs = Needs::default();
    let tasks = Prepared::new(
        Action::Apply,
        request.id.as_ref(),
        workspace,
        fleet,
        |fleet| {
            let instances = target.choose(fleet)?;
            needs = target.needs(&instances);
            Ok(instances)
        },
    )?;
    Ok(Work {
        request: request.clone(),
        needs,
        tasks,
    })
}

impl Plan<'_> {
    /// What must be agreed to.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// Runs the Jobs beside each other and notes in the deploy repositories what was made. A Job that failed is
    /// no error.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0
            .carry_out(consent, |work, consent, _| work.carry_out(consent))
    }
}

impl Work<'_> {
    fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        let results = self.tasks.run(self.request.timeout)?;
        self.tasks.record(&results, self.request.id.as_ref());
        Ok(self.tasks.outcome(results))
    }
}
