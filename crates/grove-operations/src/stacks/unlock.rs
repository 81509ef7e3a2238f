//! Taking away the lock of a stack's state that somebody left behind.
//!
//! Whoever still works on the state would lose what they made: a lock whose process still runs on this
//! machine is left alone.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, stacks::unlock};
//!
//! let request = unlock::Request {
//!     id: None,
//!     revision: None,
//!     stack: "prod/network".to_owned(),
//!     lock: "5a4c9d1e".to_owned(),
//! };
//! let plan = unlock::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use grove_stack::stack::{Address, AddressError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    all::Stacks,
    runner::{Ready, Runner},
    work::Work,
};
use crate::{
    Around, Error, Result,
    consent::{Consent, Needs},
    request::RequestId,
    requests::{Answer, Once},
};

/// Takes a lock away.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// The fleet's revision; none for the files of its work tree.
    #[serde(default)]
    pub revision: Option<String>,
    /// The stack: `cluster:stack` or `cluster/instance:stack`.
    pub stack: String,
    /// The lock's id, which stands in the error that names the lock.
    pub lock: String,
}

/// The lock that was taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The stack that is free now.
    pub stack: String,
}

impl Answer for Outcome {}

/// What is ready to be unlocked; nothing else of this machine works on the stack meanwhile.
pub struct Plan<'a>(Once<'a, Locked, Outcome>);

struct Locked {
    runner: Runner,
    ready: Ready,
    work: Work,
    lock: String,
    needs: Needs,
}

/// Looks whether a process of this machine still works on the stack, which refuses.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Once::plan(around, "stacks/unlock", id, request, |_| {
        locked(around, request)
    })
    .map(Plan)
}

fn locked(around: &Around, request: &Request) -> Result<Locked> {
    let stacks = Stacks::open(around, request.revision.as_deref())?;
    let address: Address = request
        .stack
        .parse()
        .map_err(|error: AddressError| Error::usage(error.to_string()))?;
    if !stacks.fleet.stacks.contains_key(&address) {
        return Err(Error::usage(format!("there is no stack `{address}`"))
            .hint("`grove stack list` names them"));
    }
    // The program would take it for an option.
    if request.lock.starts_with('-') {
        return Err(Error::usage(format!(
            "`{}` is not the id of a lock",
            request.lock
        )));
    }
    let root = stacks.runnable(&address)?;
    let mut ready = stacks.ready(&address, root)?;
    let runner = stacks.runner()?;
    // Its lock may be what kept the last apply from writing its state: that stays where it is.
    runner.warn_of_unwritten(&ready)?;
    // Opening fails while a process of this machine works on it.
    let work = runner.look(&mut ready)?;
    if let Some(process) = work.running() {
        return Err(Error::refused(format!(
            "process {process} of this machine still works on `{address}`"
        )));
    }
    Ok(Locked {
        runner,
        ready,
        work,
        lock: request.lock.clone(),
        needs: Needs::default(),
    })
}

impl Plan<'_> {
    /// What must be agreed to: nothing, as whoever asks names the lock.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// Takes the lock away.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0
            .carry_out(consent, |work, consent, _| work.carry_out(consent))
    }
}

impl Locked {
    fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        let stack = self.ready.address.to_string();
        let run = self.work.run(&self.runner.program, &self.ready.environment);
        let unlocked = run.run(&["force-unlock", "-force", &self.lock]);
        unlocked.map_err(|error| error.context(format!("`{stack}` cannot be unlocked")))?;
        Ok(Outcome { stack })
    }
}
