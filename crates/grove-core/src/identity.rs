//! What names an instance to the cluster and to Tutor.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What never changes in an instance's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// Its namespace on its cluster.
    pub namespace: String,
    /// Tutor's `ID`; part of immutable selectors.
    pub id: String,
}
