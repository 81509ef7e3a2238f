//! What each stack waits for, and whether it is what was applied.
//!
//! Reads the fleet alone; what others changed meanwhile is what [`super::drift`] finds. A state that the last apply
//! on this machine could not write is warned of.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::stacks::list;
//!
//! let outcome = list::read(around, &list::Request::default())?;
//! # Ok(())
//! # }
//! ```

use grove_stack::stack::{Source, Stack};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    all::{Stacks, state_of},
    select::StackSelection,
    standing::Standing,
    unwritten::Unwritten,
};
use crate::{Around, Result};

/// Lists stacks.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Which stacks; all where nothing is said.
    pub selection: StackSelection,
}

/// The stacks of a fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// In the order of their addresses.
    pub stacks: Vec<Row>,
}

/// A stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Its address.
    pub stack: String,
    /// Whose files it is made of.
    pub origin: Origin,
    /// Whether it is what was applied.
    pub state: Standing,
    /// What it waits for.
    pub why: Option<String>,
    /// The serial of the state that its outputs are from; none where it was never applied.
    pub serial: Option<u64>,
    /// What it reads from others, as the fleet writes it.
    pub reads: Vec<String>,
    /// The variables of its root module.
    pub variables: Vec<Variable>,
    /// The names of the outputs of its root module; none where the fleet states them.
    pub outputs: Option<Vec<String>>,
}

/// Whose files a stack is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The fleet states its outputs.
    Fleet,
    /// Grove's.
    Grove,
    /// The operator's own.
    Own,
}

/// A variable of a root module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it holds, as the language writes types.
    #[serde(rename = "type")]
    pub holds: String,
    /// Whether it has no default.
    pub required: bool,
    /// Whether its values must not be shown.
    pub sensitive: bool,
}

/// Reads the fleet.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    let stacks = Stacks::read(around, request.revision.as_deref())?;
    let selected = request.selection.select(&stacks.fleet)?;
    let rows = selected.iter().map(|address| {
        let stack = stacks.get(address)?;
        let (state, why) = state_of(&stacks.fleet, stack)?;
        if let Ok(root) = stacks.root(stack)?
            && let Some(unwritten) = Unwritten::find(&stacks.directory, address, &root)?
        {
            around.warn(&unwritten.warning(address));
        }
        Ok(Row::of(stack, state, why))
    });
    Ok(Outcome {
        stacks: rows.collect::<Result<_>>()?,
    })
}

impl Row {
    fn of(stack: &Stack, state: Standing, why: Option<String>) -> Self {
        let module = stack.module();
        let variables = module.into_iter().flat_map(|module| &module.variables);
        Self {
            stack: stack.address.to_string(),
            origin: match &stack.source {
                Source::Stated(_) => Origin::Fleet,
                Source::Module {
                    is_generated: true, ..
                } => Origin::Grove,
                Source::Module { .. } => Origin::Own,
            },
            state,
            why,
            serial: stack.outputs.as_ref().map(|outputs| outputs.serial),
            reads: stack
                .references()
                .map(|(_, reference)| reference.to_string())
                .collect(),
            variables: variables
                .map(|(name, variable)| Variable {
                    name: name.clone(),
                    holds: variable.holds.to_string(),
                    required: variable.is_required,
                    sensitive: variable.is_sensitive,
                })
                .collect(),
            outputs: module.map(|module| module.outputs.keys().cloned().collect()),
        }
    }
}
