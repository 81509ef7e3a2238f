//! Whether a value can be put where its name stands without changing what the file says.
//!
//! A secret is inserted as it is: nobody quotes it for the file's language. So each place takes
//! only values whose characters mean themselves there, which their [`Form`] tells without a key.

mod generic;
mod json;
mod python;
mod scan;
mod shell;
mod yaml;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use crate::{
    Ciphertexts, Form,
    placeholder::{self, Piece, pieces},
    seal::object,
};

/// A place in a file, and the values that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// What it is, with its article.
    what: &'static str,
    /// The widest form that it takes; none where it takes nothing.
    most: Option<Form>,
    /// Whether it takes an empty value.
    empty: bool,
}

impl Place {
    const fn new(what: &'static str, most: Form) -> Self {
        Self {
            what,
            most: Some(most),
            empty: true,
        }
    }

    const fn filled(what: &'static str, most: Form) -> Self {
        Self {
            what,
            most: Some(most),
            empty: false,
        }
    }

    const fn closed(what: &'static str) -> Self {
        Self {
            what,
            most: None,
            empty: false,
        }
    }

    fn takes(self, form: Form) -> bool {
        if form == Form::Empty {
            self.empty
        } else {
            self.most.is_some_and(|most| form <= most)
        }
    }
}

/// Where nothing is around a value: every value keeps its meaning.
const ALONE: Place = Place::new("a text of its own", Form::Text);
/// A URL, whose parts are divided by characters that a value may hold.
const URL: Place = Place::new("a URL", Form::Token);

/// A value that would change the meaning of a file it is put into: the place that takes least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The secret's name.
    pub name: String,
    /// The object, as `Kind name`.
    pub object: String,
    /// The file in it, or the field.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
    /// How many more places do not take it.
    pub more: usize,
    place: Place,
}

impl fmt::Display for Unfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            object,
            file,
            line,
            more,
            place,
        } = self;
        write!(
            formatter,
            "the value of `{name}` does not fit {object}, {file} line {line}: {} takes ",
            place.what
        )?;
        formatter.write_str(match place.most {
            None => "no secret",
            Some(Form::Empty | Form::Word) => "only letters, digits, `_`, `.` and `-`, beginning with a letter and no word like `true`",
            Some(Form::Token) if place.empty => "only letters, digits, `_`, `.`, `~` and `-`",
            Some(Form::Token) => "only letters, digits, `_`, `.`, `~` and `-`, at least one",
            Some(Form::Line) => "no quotes, `\\`, `$`, braces, backquotes or line breaks",
            Some(Form::Quotable) => "no quotes, `\\` or line breaks",
            Some(Form::Lines) => "no quotes or `\\`",
            Some(Form::Text) => "every value",
        })?;
        match more {
            0 => Ok(()),
            1 => formatter.write_str(" (and another place does not take it)"),
            more => write!(formatter, " (and {more} other places do not take it)"),
        }
    }
}

/// Every value that does not fit one of its places, by name.
pub(crate) fn check(objects: &BTreeMap<String, Value>, ciphertexts: &Ciphertexts) -> Vec<Unfit> {
    let mut all: BTreeMap<String, Unfit> = BTreeMap::new();
    for object in objects.values() {
        let mut judge = |file: &str, text: &str, language: Language| {
            for (at, name, place) in places(text, language) {
                let Some(entry) = ciphertexts.secrets.get(name) else {
                    continue;
                };
                if place.takes(entry.form) {
                    continue;
                }
                let new = Unfit {
                    name: name.to_owned(),
                    object: object::title(object),
                    file: file.to_owned(),
                    line: text[..at].matches('\n').count() + 1,
                    more: 0,
                    place,
                };
                match all.get_mut(name) {
                    None => {
                        all.insert(name.to_owned(), new);
                    }
                    Some(old) if new.place.most < old.place.most => {
                        *old = Unfit {
                            more: old.more + 1,
                            ..new
                        };
                    }
                    Some(old) => old.more += 1,
                }
            }
        };
        if object::is_configuration(object) {
            let fields: &[&str] = if object::kind(object) == "Secret" {
                &["stringData"]
            } else {
                &["data"]
            };
            for (key, value) in fields
                .iter()
                .filter_map(|field| object.get(*field)?.as_object())
                .flatten()
            {
                if let Some(text) = value.as_str() {
                    judge(key, text, Language::of_file(key));
                }
            }
            for (key, text) in object::encoded_texts(object) {
                judge(key, &text, Language::of_file(key));
            }
        }
        for container in object::pod_spec(object)
            .into_iter()
            .flat_map(object::containers)
        {
            for (field, text, language) in container_texts(container) {
                judge(field, text, language);
            }
        }
    }
    all.into_values().collect()
}

/// What reads a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Python,
    Yaml,
    Json,
    Shell,
    /// Lines with quotes: INI, Caddyfiles and their like.
    Lines,
    /// Nobody: an argument or a variable, whole.
    None,
}

impl Language {
    fn of_file(name: &str) -> Self {
        match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("py") => Self::Python,
            Some("yml" | "yaml") => Self::Yaml,
            Some("json" | "dockerconfigjson" | "dockercfg") => Self::Json,
            Some("sh" | "bash") => Self::Shell,
            // A file of PEM is its value, whole.
            Some("key" | "pem" | "crt") => Self::None,
            _ => Self::Lines,
        }
    }
}

/// The texts of a container that may hold placeholders. What follows `-c` of a shell is a script.
fn container_texts(container: &Value) -> Vec<(&'static str, &str, Language)> {
    let mut texts = Vec::new();
    let list = |field: &str| {
        container
            .get(field)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let line = || {
        list("command")
            .chain(list("args"))
            .filter_map(Value::as_str)
    };
    let shell = line().next().is_some_and(|program| {
        matches!(
            program.rsplit('/').next(),
            Some("sh" | "bash" | "dash" | "ash")
        )
    });
    let mut script = false;
    for text in line() {
        texts.push((
            "args",
            text,
            if script {
                Language::Shell
            } else {
                Language::None
            },
        ));
        // `-c` may stand among other letters: `-ec`.
        script = shell && text.starts_with('-') && !text.starts_with("--") && text.ends_with('c');
    }
    for variable in list("env") {
        if let Some(text) = variable.get("value").and_then(Value::as_str) {
            texts.push(("env", text, Language::None));
        }
    }
    texts
}

/// Every placeholder of a text: where it starts, its name, and its place.
fn places(text: &str, language: Language) -> Vec<(usize, &str, Place)> {
    let marks = marks(text);
    if let [Piece::Name(name)] | [Piece::Name(name), Piece::Literal("\n")] = pieces(text).as_slice()
    {
        return vec![(0, name, ALONE)];
    }
    let found = match language {
        Language::Python => scan::run(text, &marks, python::Reader::default()),
        Language::Json => scan::run(text, &marks, json::Reader::default()),
        Language::Shell => scan::run(text, &marks, shell::Reader::default()),
        Language::Lines => scan::run(text, &marks, generic::Reader::default()),
        Language::Yaml => yaml::places(text, &marks)
            .unwrap_or_else(|| scan::run(text, &marks, generic::Reader::default())),
        Language::None => vec![ALONE; marks.len()],
    };
    marks
        .into_iter()
        .zip(found)
        .map(|((at, name), place)| {
            let closed = place
                .most
                .is_none_or(|most| most < URL.most.unwrap_or(Form::Token));
            (
                at,
                name,
                if in_url(text, at) && !closed {
                    URL
                } else {
                    place
                },
            )
        })
        .collect()
}

/// Where the placeholders of a text start, and their names.
fn marks(text: &str) -> Vec<(usize, &str)> {
    let mut at = 0;
    let mut marks = Vec::new();
    for piece in pieces(text) {
        match piece {
            Piece::Literal(literal) => at += literal.len(),
            Piece::Name(name) => {
                marks.push((at, name));
                at += name.len() + 4;
            }
        }
    }
    debug_assert_eq!(marks.len(), placeholder::names(text).count());
    marks
}

/// Whether the word that a placeholder stands in is a URL before it.
fn in_url(text: &str, at: usize) -> bool {
    let before = &text[..at];
    let word = before
        .rfind(|symbol: char| symbol.is_whitespace() || "\"'`<>,;()".contains(symbol))
        .map_or(before, |end| &before[end..]);
    word.contains("://")
}
