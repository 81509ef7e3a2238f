//! What a pass is.

use super::draft::Draft;
use crate::Error;

/// One step between Tutor's objects and the deploy tree.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// Its name, in kebab case.
    pub name: &'static str,
    /// What differs from plain Tutor after it, and why.
    pub summary: &'static str,
    /// What it may change: `Kind` for whole objects that come or go, `Kind /json/pointer` for a
    /// field and everything below it. `*` stands for every kind, or for one step of a pointer.
    pub changes: &'static [&'static str],
    pub(crate) apply: fn(&mut Draft<'_>) -> Result<(), Error>,
}
