//! JSON.

use super::{
    Place,
    scan::{self, first, pair},
};
use crate::Form;

/// Reads JSON's strings.
#[derive(Default)]
pub(super) struct Reader {
    string: bool,
}

impl scan::Reader for Reader {
    fn step(&mut self, rest: &str) -> usize {
        if self.string && rest.starts_with('\\') {
            return pair(rest);
        }
        if rest.starts_with('"') {
            self.string = !self.string;
        }
        first(rest)
    }

    fn place(&self) -> Place {
        if self.string {
            Place::new("a JSON string", Form::Quotable)
        } else {
            Place::closed("JSON outside a string")
        }
    }
}
