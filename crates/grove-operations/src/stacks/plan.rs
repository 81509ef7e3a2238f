//! Planning stacks: what an apply would do, kept until it does it.
//!
//! A stack whose module, inputs and providers are what was applied is stepped over. One that reads what
//! another has not given yet is blocked: nothing is ever planned with a made-up value.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, stacks::{plan, select::StackSelection}};
//!
//! let request = plan::Request {
//!     selection: StackSelection { all: true, ..StackSelection::default() },
//!     ..plan::Request::default()
//! };
//! let plan = plan::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use grove_stack::{
    plan::Changes,
    root::{Blocked, Root},
    stack::Address,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    all::Stacks,
    bounds::Bounds,
    runner::{Options, Ready, Runner, forget},
    select::StackSelection,
    standing::Standing,
};
use crate::{
    Around, Doing, Error, Result,
    consent::{Consent, Needs},
    request::RequestId,
    requests::{Answer, Once},
    threads,
};

/// Plans stacks.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    pub id: Option<RequestId>,
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

impl Answer for Outcome {
    fn is_whole(&self) -> bool {
        self.failures.is_empty()
    }
}

/// What a request would do.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    stacks: Stacks<'a>,
    options: Options,
    bounds: Bounds,
    needs: Needs,
    /// Level by level.
    steps: Vec<Vec<Step>>,
}

/// What becomes of one stack.
enum Step {
    /// There is nothing to plan.
    Said(Row),
    /// It is planned.
    Made(Address, Root),
}

/// Reads the fleet: which stacks are there to be planned. Nothing is run or written.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Once::plan(around, "stacks/plan", id, request, |_| {
        work(around, request)
    })
    .map(Plan)
}

fn work<'a>(around: &'a Around, request: &Request) -> Result<Work<'a>> {
    request.selection.must_be_stated()?;
    let stacks = Stacks::open(around, request.revision.as_deref())?;
    let selected = request.selection.select(&stacks.fleet)?;
    let levels = stacks.levels(&selected)?.into_iter();
    let step = |address: Address| step(&stacks, request, address);
    let steps = levels.map(|level| level.into_iter().map(step).collect());
    Ok(Work {
        steps: steps.collect::<Result<_>>()?,
        stacks,
        options: Options {
            destroy: request.destroy,
            refresh_only: false,
            lock_timeout: request.bounds.lock_timeout,
        },
        bounds: request.bounds.clone(),
        needs: Needs::default(),
    })
}

fn step(stacks: &Stacks<'_>, request: &Request, address: Address) -> Result<Step> {
    let stack = stacks.get(&address)?;
    Ok(match stacks.root(stack)? {
        Err(Blocked::Stated) => Step::Said(Row::of(&address, Standing::Stated)),
        Err(blocked) => Step::Said(Row {
            why: Some(blocked.to_string()),
            ..Row::of(&address, Standing::Blocked)
        }),
        Ok(root) => {
            let known = stack.outputs.as_ref().map(|outputs| &outputs.inputs);
            let is_unchanged = known == Some(&root.digest) && !request.destroy;
            if is_unchanged && !request.force {
                Step::Said(Row::of(&address, Standing::Unchanged))
            } else {
                Step::Made(address, root)
            }
        }
    })
}

impl Plan<'_> {
    /// What must be agreed to: nothing, as whoever asks names the stacks, and a plan changes none of them.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// The files of the fleet that may be written: the versions of the providers of each stack that is planned.
    pub fn files(&self) -> Vec<String> {
        let steps = self.0.open().into_iter().flat_map(|work| &work.steps);
        steps
            .flatten()
            .filter_map(|step| match step {
                Step::Said(_) => None,
                Step::Made(_, root) => Some(root.lock_file()),
            })
            .collect()
    }

    /// Makes the plans and keeps them for [`super::apply`], which refuses them where inputs or states changed
    /// since. The fleet's files get the versions of providers where they lack them. A stack whose last apply
    /// could not write its state fails alone: applying it comes first.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0
            .carry_out(consent, |work, consent, _| work.carry_out(consent))
    }
}

impl Work<'_> {
    fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        let around = self.stacks.workspace.around;
        self.needs.met_by(consent)?;
        let runner = self.stacks.runner()?;
        let mut outcome = Outcome {
            stacks: Vec::new(),
            failures: Vec::new(),
        };
        for level in self.steps {
            let mut ready = Vec::new();
            for step in level {
                match step {
                    Step::Said(row) => outcome.stacks.push(row),
                    Step::Made(address, root) => ready.push(self.stacks.ready(&address, root)?),
                }
            }
            let made = threads::each(self.bounds.threads(), ready, |mut ready| {
                around.doing(Doing::Planning {
                    stack: &ready.address.to_string(),
                });
                make(&runner, &mut ready, &self.options)
                    .map(|changes| Row::planned(&ready.address, changes))
                    .map_err(|error| runner.explain(&ready.address, error))
            });
            around.progress_done();
            for made in made {
                match made {
                    Ok(row) => outcome.stacks.push(row),
                    Err(error) => outcome.failures.push(error),
                }
            }
        }
        Ok(outcome)
    }
}

/// Makes a plan and keeps it; what it changes.
fn make(runner: &Runner, ready: &mut Ready, options: &Options) -> Result<Changes> {
    runner.must_be_written(ready)?;
    let work = runner.open(ready)?;
    runner.pin(ready)?;
    // One that cannot be made leaves none: that of before is of something else.
    forget(&work)?;
    let planned = runner.plan_in(work, ready, options)?;
    planned.keep()?;
    Ok(planned.record.changes.clone())
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

    fn planned(address: &Address, changes: Changes) -> Self {
        let state = if changes.is_empty() {
            Standing::NoChanges
        } else {
            Standing::Planned
        };
        Self {
            changes: Some(changes),
            ..Self::of(address, state)
        }
    }
}
