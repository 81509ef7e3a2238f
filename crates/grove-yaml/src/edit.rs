//! Edits that keep comments and every byte that they do not mean.
//!
//! An edit is one splice of the text, found through the spans of the tree: all bytes before and
//! behind it stay. The result is read again, and given out only if nothing but the value at the
//! path has changed.

mod render;
mod splice;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::{Limits, Node, parse};
use splice::Splice;

/// Why an edit was not made. The text was left as it was.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The text is not one YAML document that is a map.
    #[error("the file is not valid YAML: {0}")]
    Invalid(String),
    /// A key on the way holds a list, text or number.
    #[error("`{path}` is not a map")]
    NotAMap {
        /// The path of that key.
        path: String,
    },
    /// The edit would have touched more than it should: an alias repeats the value elsewhere, or
    /// the file is written in a way that is not understood well enough.
    #[error("the edit of `{path}` would change other lines too")]
    TooWide {
        /// The key path that was to be edited.
        path: String,
    },
}

/// Sets the value at `path`, one key a step, making the maps on the way; gives the new text.
///
/// A comment behind the old value stays, comments inside an old map or list go with it. A new key
/// goes behind the last one of its map.
pub fn set(text: &str, path: &[&str], value: &Value) -> Result<String, EditError> {
    let root = read(text)?;
    let mut expected = json(root.as_ref());
    *place(&mut expected, path)? = value.clone();
    let splice = match &root {
        Some(root) => splice::set(text, root, path, value),
        None => Some(splice::append(text, path, value)),
    };
    checked(text, splice, path, &expected)
}

/// Removes the key at `path` with its value; a path that is not there changes nothing.
///
/// A map that loses its last key becomes `{}`, since nothing at all would mean `null`.
pub fn remove(text: &str, path: &[&str]) -> Result<String, EditError> {
    let Some(root) = read(text)? else {
        return Ok(text.to_owned());
    };
    let Some((last, parents)) = path.split_last() else {
        return Ok(text.to_owned());
    };
    if root.at(path).is_none() {
        return Ok(text.to_owned());
    }
    let mut expected = json(Some(&root));
    if let Value::Object(map) = place(&mut expected, parents)? {
        map.remove(*last);
    }
    checked(text, splice::remove(text, &root, path), path, &expected)
}

/// The tree of a text that is a map; none where it holds nothing but comments.
fn read(text: &str) -> Result<Option<Node>, EditError> {
    let parsed = parse(text.as_bytes(), Limits::default());
    if let Some(problem) = parsed.problems.first() {
        return Err(EditError::Invalid(problem.message.clone()));
    }
    match parsed.root {
        Some(root) if !matches!(root.value, crate::Value::Map(_)) => {
            Err(EditError::Invalid("it is not a map".to_owned()))
        }
        root => Ok(root),
    }
}

fn json(root: Option<&Node>) -> Value {
    root.map_or_else(|| Map::new().into(), Node::to_json)
}

/// The place of a path in a value, its maps made on the way.
fn place<'a>(root: &'a mut Value, path: &[&str]) -> Result<&'a mut Value, EditError> {
    let mut at = root;
    for (depth, key) in path.iter().enumerate() {
        if at.is_null() {
            *at = Map::new().into();
        }
        let Value::Object(map) = at else {
            return Err(EditError::NotAMap {
                path: path.get(..depth).unwrap_or_default().join("."),
            });
        };
        at = map.entry(*key).or_insert(Value::Null);
    }
    Ok(at)
}

/// Makes the splice and reads the result: it must be what was expected.
fn checked(
    text: &str,
    splice: Option<Splice>,
    path: &[&str],
    expected: &Value,
) -> Result<String, EditError> {
    let edited = splice.and_then(|splice| splice.apply(text));
    edited
        .filter(|edited| read(edited).is_ok_and(|root| json(root.as_ref()) == *expected))
        .ok_or_else(|| EditError::TooWide {
            path: path.join("."),
        })
}
