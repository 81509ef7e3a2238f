//! `@@NAME@@`: the place of a secret in text that was rendered without it.

use std::collections::BTreeSet;

use serde_json::Value;

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Text that means itself.
    Literal(&'a str),
    /// The name of a secret.
    Name(&'a str),
}

/// Takes a text apart. Literals are never empty, and no two stand side by side.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut search = 0;
    while let Some((at, name)) = next(text, search) {
        if at > start {
            pieces.push(Piece::Literal(&text[start..at]));
        }
        pieces.push(Piece::Name(name));
        start = at + name.len() + 4;
        search = start;
    }
    if start < text.len() {
        pieces.push(Piece::Literal(&text[start..]));
    }
    pieces
}

/// Whether a text holds a placeholder.
pub(crate) fn any(text: &str) -> bool {
    next(text, 0).is_some()
}

/// The names in a text, each as often as it stands there.
pub(crate) fn names(text: &str) -> impl Iterator<Item = &str> {
    let mut search = 0;
    std::iter::from_fn(move || {
        let (at, name) = next(text, search)?;
        search = at + name.len() + 4;
        Some(name)
    })
}

/// Adds the names in every text of a value, keys of maps included.
pub(crate) fn collect(value: &Value, into: &mut BTreeSet<String>) {
    walk(value, &mut |text| {
        into.extend(names(text).map(str::to_owned));
    });
}

/// Calls `visit` for every text of a value, keys of maps included.
pub(crate) fn walk(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(values) => values.iter().for_each(|value| walk(value, visit)),
        Value::Object(map) => {
            for (key, value) in map {
                visit(key);
                walk(value, visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The first placeholder at or behind `from`: where it starts, and its name.
fn next(text: &str, from: usize) -> Option<(usize, &str)> {
    let mut search = from;
    loop {
        let at = search + text.get(search..)?.find("@@")?;
        let after = &text[at + 2..];
        let length = after
            .bytes()
            .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
            .count();
        let starts = after
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_uppercase());
        if starts && after[length..].starts_with("@@") {
            return Some((at, &after[..length]));
        }
        search = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Piece::{Literal, Name},
        names, pieces,
    };

    #[test]
    fn only_whole_placeholders_count() {
        assert_eq!(
            pieces("redis://:@@PW@@@redis"),
            [Literal("redis://:"), Name("PW"), Literal("@redis")]
        );
        assert_eq!(pieces("@@A@@@@B_2@@"), [Name("A"), Name("B_2")]);
        assert_eq!(pieces("@@@A@@"), [Literal("@"), Name("A")]);
        assert_eq!(
            pieces("@@a@@ @@1A@@ @@_@@ @@A@ @@ @@é@@"),
            [Literal("@@a@@ @@1A@@ @@_@@ @@A@ @@ @@é@@")]
        );
        assert_eq!(pieces("@@A@@B@@"), [Name("A"), Literal("B@@")]);
        assert_eq!(pieces(""), []);
        assert_eq!(names("x@@A@@y@@A@@").collect::<Vec<_>>(), ["A", "A"]);
    }
}
