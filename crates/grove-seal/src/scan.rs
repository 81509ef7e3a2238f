//! The search for plain secrets in everything that is about to be written.
//!
//! With the values at hand it looks for each of them, plain and encoded; always it looks for what
//! has the form of a secret. It says where, and of which name, and never what.

mod encodings;
mod patterns;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use aho_corasick::{AhoCorasick, BuildError};
use serde_json::Value;

use crate::{Secret, placeholder};
use encodings::Encoding;

/// Something that must not be written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// The file in the deploy tree.
    pub file: String,
    /// Where in the object, as `spec.template.data.production\.py`.
    pub path: String,
    /// The line of the text there, from 1.
    pub line: usize,
    /// What it is.
    pub found: Found,
}

/// What a [`Hit`] found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// The placeholder of this secret, which nobody replaced.
    Placeholder(String),
    /// The value of a secret.
    Value {
        /// The secret's name.
        name: String,
        /// How it is written.
        encoding: Encoding,
    },
    /// Text with the form of a secret; which form.
    Pattern(&'static str),
}

impl fmt::Display for Hit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}, {} line {}: ",
            self.file, self.path, self.line
        )?;
        match &self.found {
            Found::Placeholder(name) => {
                write!(formatter, "the placeholder of `{name}` was not replaced")
            }
            Found::Value { name, encoding } => {
                write!(formatter, "the value of `{name}` stands there{encoding}")
            }
            Found::Pattern(what) => write!(formatter, "there is {what}"),
        }
    }
}

/// What a scan found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In the order of files and of the objects in them.
    pub hits: Vec<Hit>,
    /// Names whose value was not looked for: too short or too plain to tell from other text.
    pub weak: BTreeSet<String>,
}

/// Searches objects by file name. `values` are the secrets' values as far as they are known; where
/// none is, the scan is by pattern alone.
pub fn scan<'a>(
    objects: impl IntoIterator<Item = (&'a String, &'a Value)>,
    values: &BTreeMap<String, Secret>,
) -> Result<Report, Error> {
    let known = Known::new(values)?;
    let mut report = Report {
        hits: Vec::new(),
        weak: known.weak.clone(),
    };
    for (file, object) in objects {
        let mut hits = BTreeSet::new();
        visit(object, &mut Vec::new(), &mut |path, text| {
            let mut add = |at: usize, found: Found| {
                let line = text
                    .get(..at)
                    .map_or(0, |before| before.matches('\n').count())
                    + 1;
                hits.insert(Hit {
                    file: file.clone(),
                    path: join(path),
                    line,
                    found,
                });
            };
            for name in placeholder::names(text) {
                let at = text.find(&format!("@@{name}@@")).unwrap_or_default();
                add(at, Found::Placeholder(name.to_owned()));
            }
            known.search(text, &mut add);
            if !is_ciphertext(path) {
                patterns::search(path, text, &mut add);
            }
        });
        patterns::search_variables(object, &mut |path, found| {
            hits.insert(Hit {
                file: file.clone(),
                path,
                line: 1,
                found,
            });
        });
        report.hits.extend(hits);
    }
    Ok(report)
}

/// Why the search could not begin: more or longer values than an automaton can hold.
#[derive(Debug, thiserror::Error)]
#[error("the secrets cannot be searched for: {0}")]
pub struct Error(#[from] BuildError);

/// The values that are searched for, in every encoding. They are held until the scan is over.
struct Known {
    automaton: AhoCorasick,
    found: Vec<(String, Encoding)>,
    weak: BTreeSet<String>,
}

impl Known {
    fn new(values: &BTreeMap<String, Secret>) -> Result<Self, Error> {
        let mut texts = Vec::new();
        let mut found = Vec::new();
        let mut weak = BTreeSet::new();
        for (name, value) in values {
            if encodings::is_weak(value.expose()) {
                weak.insert(name.clone());
                continue;
            }
            for (encoding, text) in encodings::all(value) {
                found.push((name.clone(), encoding));
                texts.push(text);
            }
        }
        let automaton = AhoCorasick::new(texts.iter().map(|text| text.as_bytes()))?;
        Ok(Self {
            automaton,
            found,
            weak,
        })
    }

    fn search(&self, text: &str, add: &mut impl FnMut(usize, Found)) {
        for hit in self.automaton.find_overlapping_iter(text) {
            if let Some((name, encoding)) = self.found.get(hit.pattern().as_usize()) {
                add(
                    hit.start(),
                    Found::Value {
                        name: name.clone(),
                        encoding: *encoding,
                    },
                );
            }
        }
    }
}

/// Whether a path is that of a sealed value.
fn is_ciphertext(path: &[String]) -> bool {
    matches!(path, [spec, data, _] if spec == "spec" && data == "encryptedData")
}

/// Calls `each` for every text with the path that leads to it; keys of maps are texts too.
fn visit(value: &Value, path: &mut Vec<String>, each: &mut impl FnMut(&[String], &str)) {
    match value {
        Value::String(text) => each(path, text),
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                path.push(index.to_string());
                visit(value, path, each);
                path.pop();
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                path.push(key.clone());
                each(path, key);
                visit(value, path, each);
                path.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A path as one text: dots in keys are escaped.
fn join(path: &[String]) -> String {
    path.iter()
        .map(|key| key.replace('.', "\\."))
        .collect::<Vec<_>>()
        .join(".")
}
