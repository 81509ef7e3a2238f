//! Two states, compared by content.
//!
//! Order, blanks, serial and lineage do not count. Values are never told: a state holds passwords.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::state::{diff, source::Source};
//!
//! let [before, after] = ["before.tfstate", "after.tfstate"].map(|file| Source::File(file.into()));
//! let outcome = diff::read(around, &before, &after)?;
//! # Ok(())
//! # }
//! ```

use grove_state::Difference;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::{Source, parse};
use crate::{Around, Result};

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Object by object and output by output; empty where the states are equal.
    pub differences: Vec<Difference>,
}

/// Compares two states.
pub fn read(around: &Around, first: &Source, second: &Source) -> Result<Outcome> {
    let _entered = around.enter()?;
    let (one, other) = (first.read(around)?, second.read(around)?);
    let first = parse(first.name(), &one)?;
    let second = parse(second.name(), &other)?;
    Ok(Outcome {
        differences: grove_state::diff(&first, &second),
    })
}
