//! Python.

use super::{
    Place,
    scan::{self, first, pair},
};
use crate::Form;

const CODE: Place = Place::closed("Python code outside a string");
const COMMENT: Place = Place::new("a Python comment", Form::Quotable);
const STRING: Place = Place::new("a Python string", Form::Quotable);
const LONG: Place = Place::new("a Python string of several lines", Form::Lines);
const FORMATTED: Place = Place::new("a Python f-string", Form::Line);

#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    Code,
    Comment,
    String {
        quote: char,
        long: bool,
        formatted: bool,
    },
}

/// Reads Python's strings and comments.
#[derive(Default)]
pub(super) struct Reader {
    state: State,
    /// The letters right before, which say what kind of string begins.
    word: String,
}

impl scan::Reader for Reader {
    fn step(&mut self, rest: &str) -> usize {
        let symbol = rest.chars().next().unwrap_or_default();
        match self.state {
            State::Code => {
                let prefix = std::mem::take(&mut self.word);
                match symbol {
                    '#' => self.state = State::Comment,
                    '"' | '\'' => {
                        let long = rest.chars().take_while(|other| *other == symbol).count() >= 3;
                        let formatted = prefix.len() <= 2 && prefix.to_lowercase().contains('f');
                        self.state = State::String {
                            quote: symbol,
                            long,
                            formatted,
                        };
                        return if long { 3 } else { 1 };
                    }
                    symbol if symbol.is_alphanumeric() || symbol == '_' => {
                        self.word = prefix;
                        self.word.push(symbol);
                    }
                    _ => {}
                }
                first(rest)
            }
            State::Comment => {
                if symbol == '\n' {
                    self.state = State::Code;
                }
                first(rest)
            }
            State::String { quote, long, .. } => {
                if symbol == '\\' {
                    return pair(rest);
                }
                if long {
                    if symbol == quote
                        && rest.chars().take_while(|other| *other == quote).count() >= 3
                    {
                        self.state = State::Code;
                        return 3;
                    }
                } else if symbol == quote || symbol == '\n' {
                    self.state = State::Code;
                }
                first(rest)
            }
        }
    }

    fn place(&self) -> Place {
        match self.state {
            State::Code => CODE,
            State::Comment => COMMENT,
            State::String {
                formatted: true, ..
            } => FORMATTED,
            State::String { long: true, .. } => LONG,
            State::String { .. } => STRING,
        }
    }
}
