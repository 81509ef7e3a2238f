//! Where in the text an edit goes, and what it puts there.

use serde_json::{Map, Value};

use super::render::{Block, block_key, flow, flow_text};
use crate::{Entry, Node, Span, Value as Yaml};

/// One replacement of bytes.
pub(super) struct Splice {
    start: usize,
    end: usize,
    with: String,
}

impl Splice {
    /// The text after the replacement, which takes on the text's own line ends.
    pub(super) fn apply(self, text: &str) -> Option<String> {
        let before = text.get(..self.start)?;
        let behind = text.get(self.end..)?;
        let with = if text.contains("\r\n") {
            self.with.replace('\n', "\r\n")
        } else {
            self.with
        };
        Some([before, with.as_str(), behind].concat())
    }
}

/// Sets a value in a tree that is a map; none where the text is written in a way that is not
/// understood.
pub(super) fn set(text: &str, root: &Node, path: &[&str], value: &Value) -> Option<Splice> {
    let mut map = root;
    let mut is_flow = starts_with(text, map, '{');
    for (depth, key) in path.iter().enumerate() {
        if starts_with(text, map, '*') {
            return None;
        }
        let rest = path.get(depth + 1..)?;
        let Some(entry) = map.entry(key) else {
            return if is_flow {
                Some(add_flow(map, key, &nest(rest, value)))
            } else {
                add_block(text, map, key, &nest(rest, value))
            };
        };
        let goes_on = !rest.is_empty() && matches!(entry.value.value, Yaml::Map(_));
        if !goes_on {
            let value = nest(rest, value);
            return if is_flow {
                Some(replace_flow(text, entry, &value))
            } else {
                replace_block(text, entry, &value)
            };
        }
        map = &entry.value;
        is_flow = is_flow || starts_with(text, map, '{');
    }
    None
}

/// Adds a first key to a text without any.
pub(super) fn append(text: &str, path: &[&str], value: &Value) -> Splice {
    let newline = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    Splice {
        start: text.len(),
        end: text.len(),
        with: format!("{newline}{}", crate::emit(&nest(path, value))),
    }
}

/// Removes a key that is there.
pub(super) fn remove(text: &str, root: &Node, path: &[&str]) -> Option<Splice> {
    let (last, parents) = path.split_last()?;
    let mut map = root;
    let mut is_flow = starts_with(text, map, '{');
    for key in parents {
        map = map.get(key)?;
        is_flow = is_flow || starts_with(text, map, '{');
        if starts_with(text, map, '*') {
            return None;
        }
    }
    let entries = map.entries();
    let index = entries.iter().position(|entry| entry.key == *last)?;
    let entry = entries.get(index)?;
    if entries.len() == 1 && !parents.is_empty() {
        return set(text, root, parents, &Map::new().into());
    }
    let end = end_of(entry);
    if is_flow {
        let (start, end) = match (entries.get(index + 1), index.checked_sub(1)) {
            (Some(next), _) => (entry.key_span.start, next.key_span.start),
            (None, Some(before)) => (end_of(entries.get(before)?), end),
            (None, None) => (entry.key_span.start, end),
        };
        return Some(Splice {
            start,
            end,
            with: String::new(),
        });
    }
    let start = line_start(text, entry.key_span.start);
    let is_first_on_line = text.get(start..entry.key_span.start)?.trim().is_empty();
    is_first_on_line.then(|| Splice {
        start,
        end: next_line(text, end),
        with: String::new(),
    })
}

fn replace_flow(text: &str, entry: &Entry, value: &Value) -> Splice {
    let is_empty = entry.value.span.start == entry.value.span.end;
    let (start, end, space) = if is_empty {
        match colon(text, entry) {
            Some(colon) => (colon, colon, " "),
            None => (entry.key_span.end, entry.key_span.end, ": "),
        }
    } else {
        (entry.value.span.start, entry.value.span.end, "")
    };
    Splice {
        start,
        end,
        with: format!("{space}{}", flow(value)),
    }
}

fn replace_block(text: &str, entry: &Entry, value: &Value) -> Option<Splice> {
    let Block { head, body } = Block::of(value);
    let colon = colon(text, entry)?;
    let key_line_end = line_end(text, colon);
    let Span { start, end } = entry.value.span;
    let is_empty = start == end;
    let with_space = |head: &str| match head {
        "" => String::new(),
        head => format!(" {head}"),
    };
    if is_empty || start > key_line_end {
        // The old value is nothing, or stands below the key's line: what is behind the colon on
        // that line, a comment, stays.
        let behind = text.get(colon..key_line_end)?;
        let mut with = format!("{}{behind}", with_space(&head));
        push_lines(&mut with, entry, text, &body)?;
        let old_end = if is_empty {
            key_line_end
        } else {
            // Comments above the old value stay too.
            let above = text.get(key_line_end..line_start(text, start))?;
            with.push_str(above.trim_end_matches(['\n', '\r']));
            line_end(text, end)
        };
        return Some(Splice {
            start: colon,
            end: old_end,
            with,
        });
    }
    // The old value starts behind the colon. Its anchor or tag, if any, stays before the new one.
    if body.is_empty() {
        return Some(Splice {
            start,
            end,
            with: head,
        });
    }
    let old_line_end = line_end(text, end);
    let behind = text.get(end..old_line_end)?;
    let mut with = format!("{head}{behind}");
    let from = match head.as_str() {
        "" => text.get(..start)?.trim_end_matches(' ').len(),
        _ => start,
    };
    push_lines(&mut with, entry, text, &body)?;
    Some(Splice {
        start: from,
        end: old_line_end,
        with,
    })
}

fn add_block(text: &str, map: &Node, key: &str, value: &Value) -> Option<Splice> {
    let last = map.entries().last()?;
    let at = line_end(text, end_of(last));
    let Block { head, body } = Block::of(value);
    let indent = column(text, last.key_span.start)?;
    let space = if head.is_empty() { "" } else { " " };
    let mut with = format!("\n{:indent$}{}:{space}{head}", "", block_key(key));
    push_lines(&mut with, last, text, &body)?;
    if at == text.len() {
        with.push('\n');
    }
    Some(Splice {
        start: at,
        end: at,
        with,
    })
}

fn add_flow(map: &Node, key: &str, value: &Value) -> Splice {
    let entry = format!("{}: {}", flow_text(key), flow(value));
    let (at, with) = match map.entries().last() {
        Some(last) => (end_of(last), format!(", {entry}")),
        None => (map.span.start + 1, entry),
    };
    Splice {
        start: at,
        end: at,
        with,
    }
}

/// Adds lines below the key of an entry, each behind a line break.
fn push_lines(with: &mut String, entry: &Entry, text: &str, body: &[String]) -> Option<()> {
    let indent = column(text, entry.key_span.start)?;
    for line in body {
        with.push('\n');
        if !line.is_empty() {
            with.push_str(&" ".repeat(indent));
            with.push_str(line);
        }
    }
    Some(())
}

/// `value` below the keys of `path`.
fn nest(path: &[&str], value: &Value) -> Value {
    path.iter().rev().fold(value.clone(), |value, key| {
        Map::from_iter([((*key).to_owned(), value)]).into()
    })
}

fn starts_with(text: &str, node: &Node, character: char) -> bool {
    text.get(node.span.start..)
        .is_some_and(|rest| rest.starts_with(character))
}

/// Where an entry ends: its value, or its key where there is none.
fn end_of(entry: &Entry) -> usize {
    entry.value.span.end.max(entry.key_span.end)
}

/// The byte behind the colon of an entry, where it follows the key as usual.
fn colon(text: &str, entry: &Entry) -> Option<usize> {
    let behind = text.get(entry.key_span.end..)?;
    let spaces = behind.len() - behind.trim_start_matches(' ').len();
    behind
        .get(spaces..)?
        .starts_with(':')
        .then_some(entry.key_span.end + spaces + 1)
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |newline| newline + 1)
}

/// Where the line of a byte ends, before its line break.
fn line_end(text: &str, at: usize) -> usize {
    let Some(rest) = text.get(at..) else {
        return text.len();
    };
    let line = rest.split('\n').next().unwrap_or_default();
    at + line.strip_suffix('\r').unwrap_or(line).len()
}

/// Where the line behind the line of a byte starts.
fn next_line(text: &str, at: usize) -> usize {
    text.get(at..)
        .and_then(|rest| rest.find('\n'))
        .map_or(text.len(), |newline| at + newline + 1)
}

/// The column of a byte, in characters from 0.
fn column(text: &str, at: usize) -> Option<usize> {
    Some(text.get(line_start(text, at)..at)?.chars().count())
}
