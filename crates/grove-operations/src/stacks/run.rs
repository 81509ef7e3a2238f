//! The program in a stack's root module, for all that there is no operation for.
//!
//! It finds back end, inputs and credentials as every other run does. What it is told is no part of a
//! request: it may be anything that the program can do on this machine.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::stacks::run;
//!
//! let request = run::Request {
//!     id: None,
//!     revision: None,
//!     stack: "prod/network".to_owned(),
//! };
//! let prepared = run::prepare(around, &request)?;
//! let words = ["state", "list"].map(str::to_owned);
//! prepared.follow(&words, |line| println!("{line}"))?;
//! # Ok(())
//! # }
//! ```

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    all::Stacks,
    runner::{Ready, Runner},
    select::StackSelection,
    work::Work,
};
use crate::{Around, Error, Result, request::RequestId, requests::once};

/// How long such a run may take.
const LIMIT: Duration = Duration::from_hours(12);

/// Prepares a stack to be run in.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called: it is run once with the same words, where it ended well.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// The fleet's revision; none for the files of its work tree.
    #[serde(default)]
    pub revision: Option<String>,
    /// The stack: `cluster:stack` or `cluster/instance:stack`.
    pub stack: String,
}

/// A stack that is prepared; nothing else of this machine works on it meanwhile.
pub struct Prepared {
    request: Request,
    runner: Runner,
    ready: Ready,
    work: Work,
}

/// Writes the root module into the cache and prepares it there. Where the last apply of the stack could not write
/// its state, that is said: it stays where it is.
pub fn prepare(around: &Around, request: &Request) -> Result<Prepared> {
    let _entered = around.enter()?;
    let stacks = Stacks::open(around, request.revision.as_deref())?;
    let selection = StackSelection {
        selectors: vec![request.stack.clone()],
        ..StackSelection::default()
    };
    let selected = selection.select(&stacks.fleet)?;
    let [address] = selected.as_slice() else {
        let names: Vec<String> = selected.iter().map(ToString::to_string).collect();
        return Err(
            Error::usage("this runs in one stack at a time").hint(format!(
                "`{}` are {}",
                request.stack,
                names.join(", ")
            )),
        );
    };
    let root = stacks.runnable(address)?;
    let mut ready = stacks.ready(address, root)?;
    let runner = stacks.runner()?;
    runner.warn_of_unwritten(&ready)?;
    let work = runner.look(&mut ready)?;
    Ok(Prepared {
        request: request.clone(),
        runner,
        ready,
        work,
    })
}

impl Prepared {
    /// Hands the process's own terminal over to the program; whether it ended well.
    pub fn interact(&self, words: &[String]) -> Result<bool> {
        let _entered = self.runner.around.enter()?;
        self.once(words, || {
            let run = self.work.run(&self.runner.program, &self.ready.environment);
            Ok(run.interact(words)?.success())
        })
    }

    /// Runs the program to its end, within twelve hours, and gives each line that it prints, cleaned of the
    /// credentials that it was given.
    pub fn follow(&self, words: &[String], said: impl FnMut(&str)) -> Result<()> {
        let _entered = self.runner.around.enter()?;
        self.once(words, || {
            let run = self.work.run(&self.runner.program, &self.ready.environment);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let ran = run.follow(&words, LIMIT, |id| self.work.note_running(id), said);
            self.work.note_ended();
            ran.map_err(|error| self.runner.explain(&self.ready.address, error))?;
            Ok(true)
        })?;
        Ok(())
    }

    fn once(&self, words: &[String], run: impl FnOnce() -> Result<bool>) -> Result<bool> {
        let (id, said) = (self.request.id.as_ref(), (&self.request, words));
        once(&self.runner.around, "stacks/run", id, &said, run)
    }
}
