//! What a release of the shared part changes.

use std::collections::BTreeMap;

use grove_release::{Diff, diff};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::render::Released;
use crate::{release::difference, text::count};

/// What a release of the shared part changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SharedChange {
    /// In `cluster/`.
    pub objects: Diff,
    /// Paths in `charts/` that are new, other or gone, with `+`, `~` or `-`.
    pub charts: BTreeMap<String, char>,
}

impl SharedChange {
    /// What leads from one to the other.
    pub fn between(before: &Released, after: &Released) -> Self {
        let mut charts = BTreeMap::new();
        for (path, bytes) in &after.charts {
            match before.charts.get(path) {
                None => charts.insert(path.clone(), '+'),
                Some(old) if old != bytes => charts.insert(path.clone(), '~'),
                Some(_) => None,
            };
        }
        for path in before.charts.keys() {
            if !after.charts.contains_key(path) {
                charts.insert(path.clone(), '-');
            }
        }
        Self {
            objects: diff(&before.cluster, &after.cluster),
            charts,
        }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.charts.is_empty()
    }

    /// How much changes, in a line.
    pub fn summary(&self) -> String {
        let files = match self.charts.len() {
            0 => String::new(),
            files => format!("; {} of charts", count(files, "file")),
        };
        format!("{}{files}", difference::summary(&self.objects))
    }
}
