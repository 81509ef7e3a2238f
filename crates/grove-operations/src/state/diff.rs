//! Two states, compared by content.
//!
//! Order, blanks, serial and lineage do not count. Values are never told: a state holds passwords.
//!
//! ```no_run
//! use grove_operations::{Result, state::{diff, source::Source}};
//!
//! fn is_same() -> Result<bool> {
//!     let file = |name: &str| Source::File(name.into());
//!     Ok(diff::read(file("combined.tfstate"), file("joined.tfstate"))?.differences.is_empty())
//! }
//! ```

use grove_stack::Difference;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::{Source, parse};
use crate::Result;

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Object by object and output by output; empty where the states are equal.
    pub differences: Vec<Difference>,
}

/// Compares two states.
pub fn read(first: Source<'_>, second: Source<'_>) -> Result<Outcome> {
    let ((one, first), (other, second)) = (first.read()?, second.read()?);
    let first = parse(&one, &first)?;
    let second = parse(&other, &second)?;
    Ok(Outcome {
        differences: grove_stack::diff(&first, &second),
    })
}
