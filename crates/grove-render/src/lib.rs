//! From Tutor's objects to an instance's deploy tree.
//!
//! Pure: no file system, process, clock or terminal. The passes and their order stand in
//! `passes`.

mod tutor;

pub use tutor::{Task, TutorInput, TutorOutput};
