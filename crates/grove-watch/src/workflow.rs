//! Argo's Workflows: those that run, and those that failed.

use grove_cluster::argo::clean;
use jiff::Timestamp;
use serde_json::Value;

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
    /// Reads a Workflow
    /// (<https://github.com/argoproj/argo-workflows/blob/v3.7.0/manifests/base/crds/full/argoproj.io_workflows.yaml>);
    /// none where it succeeded or has not begun.
    pub(crate) fn from_value(value: &Value) -> Option<Self> {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let phase = text("/status/phase")?;
        if !matches!(phase, "Running" | "Failed" | "Error") {
            return None;
        }
        let part = |pointer: &str| text(pointer).unwrap_or_default();
        Some(Self {
            name: clean(&format!(
                "{}/{}",
                part("/metadata/namespace"),
                part("/metadata/name")
            )),
            phase: phase.to_owned(),
            message: clean(part("/status/message")),
            finished: text("/status/finishedAt").and_then(|text| text.parse().ok()),
        })
    }

    /// Whether it is under way.
    pub fn is_running(&self) -> bool {
        self.phase == "Running"
    }
}
