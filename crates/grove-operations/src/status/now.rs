//! What should run and what runs, on all clusters at once.
//!
//! ```no_run
//! # use grove_operations::{Around, Result, status::{gather::Asking, now}};
//! # fn example(around: &Around) -> Result<()> {
//! let request = Asking {
//!     timeout: 10,
//!     ..Asking::default()
//! };
//! for row in now::read(around, &request)?.instances {
//!     assert_eq!(row.wanted, row.running, "{}", row.instance);
//! }
//! # Ok(())
//! # }
//! ```

use grove_watch::Status;

use super::gather::{Asking, Scope};
use crate::{Around, Result, fleet::workspace::Workspace};

/// Asks the deploy branches and the clusters once, and writes nowhere. A cluster that does not answer is
/// unknown, never empty, and costs its own rows only.
pub fn read(around: &Around, request: &Asking) -> Result<Status> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    Scope::new(request, &workspace, &fleet)?.gather()
}
