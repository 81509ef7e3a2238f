//! Shell scripts.

use super::{
    Place,
    scan::{self, first, pair},
};
use crate::Form;

const WORD: Place = Place::filled("a word of a shell script without quotes", Form::Token);
const DOUBLE: Place = Place::new("a shell text in double quotes", Form::Line);
const SINGLE: Place = Place::new("a shell text in single quotes", Form::Quotable);
const COMMENT: Place = Place::new("a shell comment", Form::Quotable);
const DOCUMENT: Place = Place::new("a here-document", Form::Line);

#[derive(Clone, PartialEq, Eq)]
enum State {
    /// Words: the script itself, or what stands in `$(…)`; how many more `(` than `)`.
    Words(usize),
    Double,
    Single,
    Comment,
    Document,
}

/// Reads a shell script's quotes, comments, substitutions and here-documents.
pub(super) struct Reader {
    states: Vec<State>,
    /// Whether a word may begin here.
    boundary: bool,
    /// The ends of here-documents whose line is not over yet.
    waiting: Vec<String>,
    /// The rest of the line, as far as it was read.
    line: String,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            states: vec![State::Words(0)],
            boundary: true,
            waiting: Vec::new(),
            line: String::new(),
        }
    }
}

impl Reader {
    fn words(&mut self, rest: &str, symbol: char, open: usize) -> usize {
        let boundary = std::mem::replace(
            &mut self.boundary,
            symbol.is_whitespace() || ";&|(".contains(symbol),
        );
        match symbol {
            '\\' => {
                self.boundary = false;
                return pair(rest);
            }
            '\'' => self.states.push(State::Single),
            '"' => self.states.push(State::Double),
            '#' if boundary => self.states.push(State::Comment),
            '(' => self.replace(State::Words(open + 1)),
            ')' if open > 0 => self.replace(State::Words(open - 1)),
            ')' if self.states.len() > 1 => {
                self.states.pop();
            }
            '\n' if !self.waiting.is_empty() => {
                self.line.clear();
                self.states.push(State::Document);
            }
            _ if rest.starts_with("$(") => {
                self.states.push(State::Words(0));
                return 2;
            }
            _ if rest.starts_with("<<") && !rest.starts_with("<<<") => return self.here(rest),
            _ => {}
        }
        first(rest)
    }

    fn replace(&mut self, state: State) {
        if let Some(last) = self.states.last_mut() {
            *last = state;
        }
    }

    /// Notes the word that ends a here-document.
    fn here(&mut self, rest: &str) -> usize {
        let after = rest
            .trim_start_matches("<<")
            .trim_start_matches('-')
            .trim_start_matches(' ');
        let end = after
            .trim_start_matches(['"', '\'', '\\'])
            .split(|symbol: char| !symbol.is_alphanumeric() && symbol != '_')
            .next()
            .unwrap_or_default();
        if !end.is_empty() {
            self.waiting.push(end.to_owned());
        }
        2
    }
}

impl scan::Reader for Reader {
    fn step(&mut self, rest: &str) -> usize {
        let symbol = rest.chars().next().unwrap_or_default();
        let state = self.states.last().cloned().unwrap_or(State::Words(0));
        match state {
            State::Words(open) => return self.words(rest, symbol, open),
            State::Double => match symbol {
                '\\' => return pair(rest),
                '"' => {
                    self.states.pop();
                }
                _ if rest.starts_with("$(") => {
                    self.states.push(State::Words(0));
                    return 2;
                }
                _ => {}
            },
            State::Single => {
                if symbol == '\'' {
                    self.states.pop();
                }
            }
            State::Comment => {
                if symbol == '\n' {
                    self.states.pop();
                    return self.step(rest);
                }
            }
            State::Document => {
                if symbol == '\n' {
                    if self
                        .waiting
                        .first()
                        .is_some_and(|end| self.line.trim_start_matches('\t') == end)
                    {
                        self.waiting.remove(0);
                        if self.waiting.is_empty() {
                            self.states.pop();
                        }
                    }
                    self.line.clear();
                } else {
                    self.line.push(symbol);
                }
            }
        }
        first(rest)
    }

    fn place(&self) -> Place {
        match self.states.last() {
            None | Some(State::Words(_)) => WORD,
            Some(State::Double) => DOUBLE,
            Some(State::Single) => SINGLE,
            Some(State::Comment) => COMMENT,
            Some(State::Document) => DOCUMENT,
        }
    }

    fn passed(&mut self) {
        self.boundary = false;
        self.line.push('@');
    }
}
