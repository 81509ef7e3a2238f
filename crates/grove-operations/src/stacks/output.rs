//! What stacks gave when they were applied.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::stacks::output;
//!
//! let outcome = output::read(around, &output::Request::default())?;
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;

use grove_stack::{
    outputs::OutputValue,
    stack::{Address, Input, Source},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{all::Stacks, select::StackSelection};
use crate::{Around, Error, Kind, Result, request::RequestId, requests::once};

/// Asks for the outputs of stacks.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// What a request is called that writes.
    pub id: Option<RequestId>,
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Which stacks; all where nothing is said.
    pub selection: StackSelection,
    /// Open the values of sensitive outputs, too; of one stack at a time.
    pub sensitive: bool,
    /// Write the outputs into the fleet's files anew from the state first, for which a selection must be
    /// stated.
    pub write: bool,
}

/// What stacks gave.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// By the stack's address, then by the output's name. A sensitive one that was not asked for is the text
    /// `(sensitive)`.
    pub stacks: BTreeMap<String, BTreeMap<String, Value>>,
}

/// Reads the outputs that the fleet has, where asked from the states.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    let mut stacks = Stacks::open(around, request.revision.as_deref())?;
    let selected = request.selection.select(&stacks.fleet)?;
    if request.sensitive && selected.len() != 1 {
        return Err(Error::usage("`--sensitive` is for one stack at a time")
            .hint("name it: `cluster:stack`"));
    }
    if request.write {
        request.selection.must_be_stated()?;
        stacks.must_be_writable()?;
        let id = request.id.as_ref();
        // What they give is read again: values of secrets are kept nowhere.
        once(around, "stacks/output", id, request, || {
            let mut selected = selected.iter();
            selected.try_for_each(|address| write(&mut stacks, address))
        })?;
    }
    let values = selected.iter().map(|address| {
        let values = values(&stacks, address, request.sensitive)?;
        Ok((address.to_string(), values))
    });
    Ok(Outcome {
        stacks: values.collect::<Result<_>>()?,
    })
}

/// Reads the outputs from the state. Inputs may have changed since it was applied, so nothing is known
/// of what they were.
fn write(stacks: &mut Stacks<'_>, address: &Address) -> Result<()> {
    if stacks.get(address)?.module().is_none() {
        return Ok(());
    }
    let root = stacks.runnable(address)?;
    let before = stacks.get(address)?.outputs.as_ref();
    let inputs = before.map_or_else(String::new, |outputs| outputs.inputs.clone());
    let mut ready = stacks.ready(address, root)?;
    let runner = stacks.runner()?;
    let work = runner.open(&mut ready)?;
    let head = runner.head(&work, &ready)?;
    let head = head.ok_or_else(|| {
        Error::refused(format!("`{address}` was never applied"))
            .hint(format!("`grove stack apply {address}` makes it"))
    })?;
    drop(work);
    stacks.write_outputs(address, head, inputs)?;
    Ok(())
}

/// What a stack gave, by name.
fn values(
    stacks: &Stacks<'_>,
    address: &Address,
    sensitive: bool,
) -> Result<BTreeMap<String, Value>> {
    let stack = stacks.get(address)?;
    let hidden = || json!("(sensitive)");
    let mut values = BTreeMap::new();
    if let Source::Stated(outputs) = &stack.source {
        for (name, input) in outputs {
            let value = match input {
                Input::Value(value) => value.clone(),
                _ => hidden(),
            };
            values.insert(name.clone(), value);
        }
    }
    for (name, output) in stack.outputs.iter().flat_map(|outputs| &outputs.outputs) {
        let value = match output {
            OutputValue::Plain { value } => value.clone(),
            OutputValue::Sensitive { .. } if sensitive => {
                let kept = stacks.sensitive(address, name)?;
                serde_json::from_str(kept.expose()).map_err(|error| {
                    Error::from_error(Kind::No, &error).context(format!("`{name}` cannot be read"))
                })?
            }
            OutputValue::Sensitive { .. } => hidden(),
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}
