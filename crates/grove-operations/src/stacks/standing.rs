//! Stacks in a word.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a stack is, or what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The fleet states its outputs; there is nothing to run.
    Stated,
    /// It reads what another has not given yet.
    Blocked,
    /// It was never applied.
    New,
    /// Module, inputs and providers are others than what was applied.
    Changed,
    /// Module, inputs and providers are what was applied, so that it was stepped over.
    Unchanged,
    /// A plan is kept that changes something.
    Planned,
    /// The plan changes nothing.
    #[serde(rename = "no changes")]
    NoChanges,
    /// It is what was applied, or was applied now.
    Applied,
    /// Everything of it was destroyed.
    Destroyed,
}

impl fmt::Display for Standing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Stated => "stated",
            Self::Blocked => "blocked",
            Self::New => "new",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Planned => "planned",
            Self::NoChanges => "no changes",
            Self::Applied => "applied",
            Self::Destroyed => "destroyed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_it_is_shown() {
        for standing in [
            Standing::Stated,
            Standing::Blocked,
            Standing::New,
            Standing::Changed,
            Standing::Unchanged,
            Standing::Planned,
            Standing::NoChanges,
            Standing::Applied,
            Standing::Destroyed,
        ] {
            let written = serde_json::to_value(standing).unwrap();
            assert_eq!(written, standing.to_string());
        }
    }
}
