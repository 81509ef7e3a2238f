//! What others changed of what stacks made.
//!
//! Asks providers what there is and compares it with the states; changes nothing there, nor in the fleet. What
//! was found is kept in the cache, and `status` tells it. A stack whose last apply could not write its state is
//! not looked at: others would seem to have made what is only there.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::stacks::drift;
//!
//! let outcome = drift::read(around, &drift::Request::default())?;
//! # Ok(())
//! # }
//! ```

use grove_stack::plan::Change;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{all::Stacks, bounds::Bounds, runner::Options, select::StackSelection, work::Looked};
use crate::{Around, Doing, Error, Result, threads};

/// Looks what others changed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Which stacks; all where nothing is said. What was never applied cannot have been changed.
    pub selection: StackSelection,
    /// How much is done at once.
    pub bounds: Bounds,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Every stack that could be looked at.
    pub stacks: Vec<Row>,
    /// Why others could not be looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Error>,
}

/// What was found of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Its address.
    pub stack: String,
    /// Objects that others changed.
    pub drift: Vec<Change>,
}

/// Looks, and keeps in the cache what was found.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    let stacks = Stacks::open(around, request.revision.as_deref())?;
    let options = Options {
        destroy: false,
        refresh_only: true,
        lock_timeout: request.bounds.lock_timeout,
    };
    let mut ready = Vec::new();
    for address in request.selection.select(&stacks.fleet)? {
        let is_applied = stacks.get(&address)?.outputs.is_some();
        if let (true, Ok(root)) = (is_applied, stacks.root(stacks.get(&address)?)?) {
            ready.push(stacks.ready(&address, root)?);
        }
    }
    let runner = stacks.runner()?;
    let looked = threads::each(request.bounds.threads(), ready, |mut ready| {
        around.doing(Doing::LookingAt {
            stack: &ready.address.to_string(),
        });
        let planned = runner.must_be_written(&ready).and_then(|()| {
            let work = runner.look(&mut ready)?;
            runner.plan_in(work, &mut ready, &options)
        });
        planned
            .map(|planned| (ready.address.clone(), planned.record.changes.drift))
            .map_err(|error| runner.explain(&ready.address, error))
    });
    around.progress_done();
    let now = around.now();
    let mut outcome = Outcome {
        stacks: Vec::new(),
        failures: Vec::new(),
    };
    for looked in looked {
        match looked {
            Ok((address, drift)) => {
                let seen = Looked {
                    time: now,
                    drift: drift.iter().map(|change| change.address.clone()).collect(),
                };
                seen.keep(&runner.directory, &address)?;
                outcome.stacks.push(Row {
                    stack: address.to_string(),
                    drift,
                });
            }
            Err(error) => outcome.failures.push(error),
        }
    }
    Ok(outcome)
}
