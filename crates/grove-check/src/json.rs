//! Findings as scripts read them: one document with a version.

use serde::Serialize;

use crate::{Finding, Severity};

/// The document of `grove check --format json`.
#[derive(Clone, Debug, Serialize)]
pub struct Report<'a> {
    /// Version of this format; a field that is added does not raise it.
    pub version: u32,
    /// In the order of [`check`](super::check).
    pub findings: &'a [Finding],
    /// How many there are.
    pub summary: Summary,
}

/// How many findings there are of each severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Findings of severity error.
    pub errors: usize,
    /// Findings of severity warning.
    pub warnings: usize,
}

impl<'a> Report<'a> {
    /// The document of these findings.
    pub fn new(findings: &'a [Finding]) -> Self {
        Self {
            version: 1,
            findings,
            summary: Summary::new(findings),
        }
    }
}

impl Summary {
    /// Counts.
    pub fn new(findings: &[Finding]) -> Self {
        let errors = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .count();
        Self {
            errors,
            warnings: findings.len() - errors,
        }
    }
}
