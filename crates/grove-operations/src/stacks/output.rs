//! What stacks gave when they were applied.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::stacks::output;
//!
//! let outcome = output::read(around, &output::Request::default())?;
//! let mut request = output::Request::default();
//! request.selection.selectors.push("prod:cluster".to_owned());
//! for (name, value) in output::open(around, &request)? {
//!     assert!(!value.expose().is_empty(), "{name} is JSON");
//! }
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;

use grove_seal::Secret;
use grove_stack::{
    outputs::OutputValue,
    stack::{Address, Input, Source},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{all::Stacks, select::StackSelection};
use crate::{Around, Error, Result};

/// Asks for the outputs of stacks.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Which stacks; all where nothing is said.
    pub selection: StackSelection,
}

/// What stacks gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// By the stack's address, then by the output's name. A sensitive one is the text `(sensitive)`: see
    /// [`open`].
    pub stacks: BTreeMap<String, BTreeMap<String, Value>>,
}

/// Reads the outputs that the fleet has; the values of sensitive ones stay closed.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    let (stacks, selected) = selected(around, request)?;
    let values = selected
        .iter()
        .map(|address| Ok((address.to_string(), values(&stacks, address)?)));
    Ok(Outcome {
        stacks: values.collect::<Result<_>>()?,
    })
}

/// The values of the sensitive outputs of one stack, by name: each is the text of a JSON value. A key must be
/// there that opens its file.
pub fn open(around: &Around, request: &Request) -> Result<BTreeMap<String, Secret>> {
    let _entered = around.enter()?;
    let (stacks, selected) = selected(around, request)?;
    let address = one(&selected)?;
    let outputs = stacks.get(address)?.outputs.iter();
    let sensitive = outputs
        .flat_map(|outputs| &outputs.outputs)
        .filter(|(_, output)| matches!(output, OutputValue::Sensitive { .. }));
    sensitive
        .map(|(name, _)| Ok((name.clone(), stacks.sensitive(address, name)?)))
        .collect()
}

/// Refuses a request that [`open`] would refuse, for whoever does something else before.
pub fn must_be_one(around: &Around, request: &Request) -> Result<()> {
    let _entered = around.enter()?;
    let (_, selected) = selected(around, request)?;
    one(&selected).map(drop)
}

fn selected<'a>(around: &'a Around, request: &Request) -> Result<(Stacks<'a>, Vec<Address>)> {
    let stacks = Stacks::open(around, request.revision.as_deref())?;
    let selected = request.selection.select(&stacks.fleet)?;
    Ok((stacks, selected))
}

fn one(selected: &[Address]) -> Result<&Address> {
    match selected {
        [address] => Ok(address),
        _ => Err(Error::usage("`--sensitive` is for one stack at a time")
            .hint("name it: `cluster:stack`")),
    }
}

/// What a stack gave, by name.
fn values(stacks: &Stacks<'_>, address: &Address) -> Result<BTreeMap<String, Value>> {
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
            OutputValue::Sensitive { .. } => hidden(),
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}
