//! What should run and what runs, on all clusters at once.
//!
//! ```
//! use grove_operations::status::{gather::Asking, now};
//!
//! # let world = grove_example::World::deployed();
//! # let around = &world.around();
//! let request = Asking {
//!     timeout: 1,
//!     ..Asking::default()
//! };
//! for row in now::read(around, &request)?.instances {
//!     println!("{} is to run {:?} and runs {:?}", row.instance, row.wanted, row.running);
//! }
//! # Ok::<(), grove_operations::Error>(())
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
