//! How much is done at once, and how long a lock is awaited.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most stacks that are worked on at once.
const MOST: usize = 64;

/// How many stacks are worked on at once, and how long a lock is awaited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// How many stacks are worked on at once: 1 to 64.
    pub parallel: usize,
    /// How long to wait for a state that somebody else has locked, in seconds.
    pub lock_timeout: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            parallel: 4,
            lock_timeout: 0,
        }
    }
}

impl Bounds {
    /// How many threads work.
    pub(crate) fn threads(&self) -> usize {
        threads(self.parallel)
    }
}

/// How many threads work where so many are asked for.
pub(crate) fn threads(parallel: usize) -> usize {
    parallel.clamp(1, MOST)
}
