//! Argo's Workflows: those that run, and those that failed.

use grove_cluster::argo::clean;
use jiff::Timestamp;
use serde::Deserialize;

/// What is read of a Workflow's status
/// (<https://github.com/argoproj/argo-workflows/blob/v3.7.4/manifests/base/crds/full/argoproj.io_workflows.yaml>).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Status {
    phase: Option<String>,
    message: Option<String>,
    finished_at: Option<String>,
}

/// A Workflow that runs or failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    /// `namespace/name`.
    pub name: String,
    /// Argo's word: `Running`, `Failed`, `Error`.
    pub phase: String,
    /// What it says of itself.
    pub message: String,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

impl Workflow {
    /// What is kept of a Workflow; none where it succeeded or has not begun.
    pub(crate) fn new(name: &str, status: Status) -> Option<Self> {
        let phase = status.phase?;
        if !matches!(phase.as_str(), "Running" | "Failed" | "Error") {
            return None;
        }
        Some(Self {
            name: clean(name),
            phase,
            message: clean(&status.message.unwrap_or_default()),
            finished: status.finished_at.and_then(|text| text.parse().ok()),
        })
    }

    /// Whether it is under way.
    pub fn is_running(&self) -> bool {
        self.phase == "Running"
    }
}
