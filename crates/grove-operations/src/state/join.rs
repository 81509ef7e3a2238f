//! The parts of a split, put together again.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use grove_operations::{Result, state::join::{Outcome, join}};
//!
//! fn undo() -> Result<Outcome> {
//!     join(Path::new("parts"), Path::new("combined.tfstate"))
//! }
//! ```

use std::path::Path;

use grove_stack::{Part, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{parts, source::parse, write_whole};
use crate::{Error, Result};

/// What was joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// How many objects the state has.
    pub objects: usize,
    /// How many parts it was joined of.
    pub parts: usize,
    /// Its serial.
    pub serial: u64,
}

/// Reads the record and the parts of a split as they are now, also where they were applied since, and writes
/// one state with the lineage that was split and the serial after it. `directory` is what
/// [`super::split::split`] wrote; `out` is a file that is not there yet.
pub fn join(directory: &Path, out: &Path) -> Result<Outcome> {
    if out.exists() {
        return Err(Error::usage(format!("{} is there already", out.display())));
    }
    let (record, texts) = parts(directory)?;
    let parts = texts
        .iter()
        .map(|part| {
            let state: State<'_> = parse(&part.path, &part.text)?;
            Ok(Part {
                stack: part.stack.clone(),
                state,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let joined = grove_stack::join(&parts, &record)?;
    write_whole(out, &joined.to_text())?;
    Ok(Outcome {
        objects: joined.len(),
        parts: parts.len(),
        serial: joined.serial,
    })
}
