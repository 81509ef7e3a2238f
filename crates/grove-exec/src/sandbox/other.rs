//! Systems other than Linux: nothing beyond the resource limits.

use super::{Report, Sandbox, SandboxError};

/// There is no signal at a parent's death.
pub(super) fn die_with_parent() {}

/// Nothing can be restricted, and the report stays as it is.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the same signature as where it can fail"
)]
pub(super) fn restrict(_sandbox: &Sandbox, _report: &mut Report) -> Result<(), SandboxError> {
    Ok(())
}
