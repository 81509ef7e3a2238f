//! Files of settings of any kind: a line each, perhaps with quotes.

use super::{
    Place,
    scan::{self, first, pair},
};
use crate::Form;

/// Reads quotes up to the end of their line.
#[derive(Default)]
pub(super) struct Reader {
    quote: Option<char>,
}

impl scan::Reader for Reader {
    fn step(&mut self, rest: &str) -> usize {
        let symbol = rest.chars().next().unwrap_or_default();
        match (self.quote, symbol) {
            (_, '\\') => return pair(rest),
            (_, '\n') => self.quote = None,
            (Some(quote), symbol) if symbol == quote => self.quote = None,
            (None, '"' | '\'') => self.quote = Some(symbol),
            _ => {}
        }
        first(rest)
    }

    fn place(&self) -> Place {
        match self.quote {
            Some(_) => Place::new("a quoted text", Form::Line),
            None => Place::new("a text without quotes", Form::Token),
        }
    }
}
