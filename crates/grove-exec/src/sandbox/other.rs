//! Systems other than Linux: nothing beyond the resource limits.

use std::path::PathBuf;

use super::inner::Instruction;
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

/// Nothing can be set.
pub(super) fn render_like() -> bool {
    false
}

/// What the sandbox names.
pub(super) fn readable(sandbox: &Sandbox) -> Vec<PathBuf> {
    sandbox.read.clone()
}

/// There is no filter.
pub(super) fn rendering_filters() -> Vec<Vec<Instruction>> {
    Vec::new()
}
