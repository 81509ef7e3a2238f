//! Planning stacks: what an apply would do, kept until it does it.
//!
//! A stack whose module, inputs and providers are what was applied is stepped over. One that reads what
//! another has not given yet is blocked: nothing is ever planned with a made-up value.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::stacks::plan;
//!
//! let outcome = plan::make(around, &plan::Request::default())?;
//! # Ok(())
//! # }
//! ```

use grove_stack::{plan::Changes, root::Blocked, stack::Address};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    all::Stacks, bounds::Bounds, runner::Options, select::StackSelection, standing::Standing,
};
use crate::{Around, Doing, Error, Result, threads};

/// Plans stacks.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Which stacks. Nothing said is refused: say `all`.
    pub selection: StackSelection,
    /// Plan what is unchanged, too.
    pub force: bool,
    /// Plan to destroy everything of the selected stacks.
    pub destroy: bool,
    /// How much is done at once.
    pub bounds: Bounds,
}

/// What was planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// What became of each stack, level by level.
    pub stacks: Vec<Row>,
    /// Why others could not be planned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Error>,
}

/// What became of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Its address.
    pub stack: String,
    /// In a word.
    pub state: Standing,
    /// What it waits for.
    pub why: Option<String>,
    /// What the plan changes, where one was made.
    pub changes: Option<Changes>,
}

/// Makes plans and keeps them for [`super::apply`], which refuses them where inputs or states changed since.
/// The fleet's files get the versions of providers where they lack them.
pub fn make(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    request.selection.must_be_stated()?;
    let stacks = Stacks::open(around, request.revision.as_deref())?;
    let selected = request.selection.select(&stacks.fleet)?;
    let options = Options {
        destroy: request.destroy,
        refresh_only: false,
        lock_timeout: request.bounds.lock_timeout,
    };
    let runner = stacks.runner()?;
    let mut outcome = Outcome {
        stacks: Vec::new(),
        failures: Vec::new(),
    };
    for level in stacks.levels(&selected)? {
        let mut ready = Vec::new();
        for address in &level {
            let stack = stacks.get(address)?;
            match stacks.root(stack)? {
                Err(Blocked::Stated) => outcome.stacks.push(Row::of(address, Standing::Stated)),
                Err(blocked) => outcome.stacks.push(Row {
                    why: Some(blocked.to_string()),
                    ..Row::of(address, Standing::Blocked)
                }),
                Ok(root) => {
                    let known = stack.outputs.as_ref().map(|outputs| &outputs.inputs);
                    let is_unchanged = known == Some(&root.digest) && !options.destroy;
                    if is_unchanged && !request.force {
                        outcome.stacks.push(Row::of(address, Standing::Unchanged));
                    } else {
                        ready.push(stacks.ready(address, root)?);
                    }
                }
            }
        }
        let planned = threads::each(request.bounds.threads(), ready, |mut ready| {
            around.doing(Doing::Planning {
                stack: &ready.address.to_string(),
            });
            let planned = runner.plan(&mut ready, &options);
            planned
                .map(|planned| (ready.address.clone(), planned.record.changes))
                .map_err(|error| runner.explain(&ready.address, error))
        });
        around.progress_done();
        for planned in planned {
            match planned {
                Ok((address, changes)) => {
                    let state = if changes.is_empty() {
                        Standing::NoChanges
                    } else {
                        Standing::Planned
                    };
                    outcome.stacks.push(Row {
                        changes: Some(changes),
                        ..Row::of(&address, state)
                    });
                }
                Err(error) => outcome.failures.push(error),
            }
        }
    }
    Ok(outcome)
}

impl Row {
    fn of(address: &Address, state: Standing) -> Self {
        Self {
            stack: address.to_string(),
            state,
            why: None,
            changes: None,
        }
    }
}
