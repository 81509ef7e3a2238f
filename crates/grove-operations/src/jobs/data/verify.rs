//! Whether instances get in with their own credentials.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{fleet::selection::Selection, jobs::data::verify};
//!
//! let request = verify::Request {
//!     revision: None,
//!     selection: Selection::of("prod/uni"),
//!     timeout: 600,
//! };
//! let outcome = verify::read(around, &request)?;
//! # Ok(())
//! # }
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Outcome, Prepared, task::Action, timeout};
use crate::{
    Around, Result,
    fleet::{selection::Selection, workspace::Workspace},
};

/// Looks whether instances get in with their own credentials. Servers that somebody else runs are looked at as
/// well.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    #[serde(default)]
    pub revision: Option<String>,
    /// Which instances. Nothing said is refused: say `all`.
    pub selection: Selection,
    /// How long to watch, in seconds; the Jobs go on.
    #[serde(default = "timeout")]
    pub timeout: u64,
}

/// Runs a Job for each instance that has anything outside. It changes nothing but one small file in a bucket,
/// which goes again. A Job that failed is no error.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    request.selection.must_be_stated()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.sound()?;
    let tasks = Prepared::new(Action::Verify, None, workspace, fleet, |fleet| {
        request.selection.select(fleet)
    })?;
    let results = tasks.run(request.timeout)?;
    Ok(tasks.outcome(results))
}
