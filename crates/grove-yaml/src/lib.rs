//! YAML as Grove needs it: a tree in which every key and scalar knows its bytes, an emitter
//! whose output is the same everywhere, and edits that leave all other bytes alone.
//!
//! This crate does no I/O and knows nothing of fleets or Kubernetes.

mod edit;
mod emit;
mod node;
mod parse;
mod position;

pub use edit::{EditError, remove, set};
pub use emit::emit;
pub use node::{Entry, Node, Span, Value};
pub use parse::{Limits, Parsed, Problem, ProblemKind, StreamError, parse, parse_all};
pub use position::{LineIndex, Position};
