//! The outputs of stacks, written into the fleet anew from their states.
//!
//! For a file that was changed by hand, or lost. Inputs may have changed since the stack was applied: of these the
//! file says what it said before.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, stacks::renew};
//!
//! let mut request = renew::Request::default();
//! request.selection.selectors.push("prod:network".to_owned());
//! let plan = renew::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use std::path::PathBuf;

use grove_stack::stack::Address;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{all::Stacks, outputs::Given, select::StackSelection};
use crate::{
    Around, Error, Result,
    consent::{Consent, Needs},
    fleet::history,
    request::RequestId,
    requests::{Answer, Once},
};

/// Writes outputs anew.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    pub id: Option<RequestId>,
    /// The fleet's revision, which must be none: outputs are written to the files of its work tree.
    pub revision: Option<String>,
    /// Which stacks. Nothing said is refused: say `all`. Those that the fleet states have no state.
    pub selection: StackSelection,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Each stack that has a state, in the order of their addresses.
    pub stacks: Vec<Row>,
}

/// The outputs of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Its address.
    pub stack: String,
    /// The serial of the state that they are from.
    pub serial: u64,
    /// Whether it gives something else than the fleet had.
    pub outputs_changed: bool,
}

impl Answer for Outcome {}

/// What a request would do.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    around: &'a Around,
    root: PathBuf,
    needs: Needs,
    given: Vec<(Row, Given)>,
    /// The files as they were when the fleet was read.
    before: Vec<(String, Option<Vec<u8>>)>,
}

/// Reads the states. Refused is a stack that was never applied, or whose last apply could not write its state.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Once::plan(around, "stacks/renew", id, request, |_| {
        work(around, request)
    })
    .map(Plan)
}

fn work<'a>(around: &'a Around, request: &Request) -> Result<Work<'a>> {
    let mut stacks = Stacks::open(around, request.revision.as_deref())?;
    let selected = request.selection.select(&stacks.fleet)?;
    request.selection.must_be_stated()?;
    stacks.must_be_writable()?;
    let mut given = Vec::new();
    let mut before = Vec::new();
    for address in &selected {
        if stacks.get(address)?.module().is_some() {
            given.push(read(&mut stacks, address)?);
            for file in [address.outputs_file(), address.outputs_secrets_file()] {
                let bytes = stacks
                    .workspace
                    .snapshot
                    .bytes(&file)
                    .map(|bytes| bytes.to_vec());
                before.push((file, bytes));
            }
        }
    }
    Ok(Work {
        around,
        root: stacks.workspace.root,
        needs: Needs::default(),
        given,
        before,
    })
}

/// What a stack's state gives.
fn read(stacks: &mut Stacks<'_>, address: &Address) -> Result<(Row, Given)> {
    let root = stacks.runnable(address)?;
    let before = stacks.get(address)?.outputs.as_ref();
    let inputs = before.map_or_else(String::new, |outputs| outputs.inputs.clone());
    let mut ready = stacks.ready(address, root)?;
    let runner = stacks.runner()?;
    runner.must_be_written(&ready)?;
    let work = runner.look(&mut ready)?;
    let head = runner.head(&work, &ready)?.ok_or_else(|| {
        Error::refused(format!("`{address}` was never applied"))
            .hint(format!("`grove stack apply {address}` makes it"))
    })?;
    let serial = head.serial;
    let given = stacks.give(address, head, inputs)?;
    let row = Row {
        stack: address.to_string(),
        serial,
        outputs_changed: given.is_changed,
    };
    Ok((row, given))
}

impl Plan<'_> {
    /// What must be agreed to: nothing, as whoever asks names the stacks whose files are written.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// Writes the files. Refused where somebody else wrote one of them since the fleet was read.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0
            .carry_out(consent, |work, consent, _| work.carry_out(consent))
    }
}

impl Work<'_> {
    fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        for (path, then) in &self.before {
            history::refuse_changed(self.around, path, then.as_deref())?;
        }
        let rows = self.given.into_iter().map(|(row, given)| {
            given.write(&self.root)?;
            Ok(row)
        });
        Ok(Outcome {
            stacks: rows.collect::<Result<_>>()?,
        })
    }
}
