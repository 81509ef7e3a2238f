//! Which stack reads whose outputs, in the order in which they are applied.
//!
//! ```no_run
//! use grove_operations::{Around, Result, stacks::graph};
//!
//! fn first(around: &Around) -> Result<Vec<graph::Node>> {
//!     let outcome = graph::read(around, &graph::Request::default())?;
//!     Ok(outcome.levels.into_iter().next().unwrap_or_default())
//! }
//! ```

use grove_stack::stack::Address;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{all::Stacks, select::StackSelection};
use crate::{Around, Result};

/// Asks for the order of stacks.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Which stacks; all where nothing is said.
    pub selection: StackSelection,
}

/// Stacks in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Each level needs only what stands in those before it.
    pub levels: Vec<Vec<Node>>,
}

/// A stack and what it reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Node {
    /// Its address.
    pub stack: String,
    /// The addresses of the stacks whose outputs it reads.
    pub reads: Vec<String>,
}

/// Reads the fleet.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let stacks = Stacks::read(around, request.revision.as_deref())?;
    let selected = request.selection.select(&stacks.fleet)?;
    let graph = stacks.graph();
    let node = |address: &Address| Node {
        stack: address.to_string(),
        reads: graph.reads(address).map(Address::to_string).collect(),
    };
    let levels = stacks.levels(&selected)?;
    Ok(Outcome {
        levels: levels
            .iter()
            .map(|level| level.iter().map(node).collect())
            .collect(),
    })
}
