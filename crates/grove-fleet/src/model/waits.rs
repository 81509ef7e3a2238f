//! What waits for an output of a stack.

use grove_stack::{root::Blocked, stack::Reference};

/// A value that an output is to give and does not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// The keys that lead to it.
    pub path: Vec<String>,
    /// The output.
    pub reference: Reference,
    /// Why it has no value.
    pub why: Blocked,
}
