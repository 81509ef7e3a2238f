//! JSON Schemas (2020-12) of the fleet's files, and of an answer.
//!
//! ```
//! use grove_operations::fleet::schemas;
//!
//! let schema = schemas::read("instance")?;
//! # Ok::<(), grove_operations::Error>(())
//! ```

use grove_fleet::{schema, shape::FileKind};
use serde_json::Value;

use crate::{Error, Result};

/// The answer of `grove status`.
const STATUS: &str = "status";

/// Every kind that has a schema.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    FileKind::ALL
        .map(FileKind::name)
        .into_iter()
        .chain([STATUS])
}

/// The schema of a kind.
pub fn read(kind: &str) -> Result<Value> {
    match FileKind::ALL.into_iter().find(|known| known.name() == kind) {
        Some(kind) => Ok(schema::json(kind)),
        None if kind == STATUS => Ok(grove_watch::schema()),
        None => Err(
            Error::usage(format!("there is no schema of `{kind}`")).hint(format!(
                "there are: {}",
                kinds().collect::<Vec<_>>().join(", ")
            )),
        ),
    }
}
