//! How a new value is written into a text that is there already.

use std::fmt::Write as _;

use serde_json::Value;

use crate::emit;

/// A value behind a key in block style.
pub(super) struct Block {
    /// What follows the colon on its line: the value, the head of a block scalar, or nothing.
    pub(super) head: String,
    /// The lines below, indented as if the key stood at the margin.
    pub(super) body: Vec<String>,
}

impl Block {
    pub(super) fn of(value: &Value) -> Self {
        let written = emit(&serde_json::json!({ "k": value }));
        let mut lines = written.lines();
        let head = lines.next().and_then(|line| line.strip_prefix("k:"));
        Self {
            head: head.unwrap_or_default().trim_start().to_owned(),
            body: lines.map(str::to_owned).collect(),
        }
    }
}

/// A key in block style.
pub(super) fn block_key(key: &str) -> String {
    emit(&Value::from(key)).trim_end().to_owned()
}

/// A value in flow style, on one line.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => flow_text(text),
        Value::Array(values) => {
            let values = values.iter().map(flow).collect::<Vec<_>>();
            format!("[{}]", values.join(", "))
        }
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| format!("{}: {}", flow_text(key), flow(value)))
                .collect::<Vec<_>>();
            format!("{{{}}}", entries.join(", "))
        }
        scalar => emit(scalar).trim_end().to_owned(),
    }
}

/// A text in flow style: bare where it is a plain word, else in double quotes.
pub(super) fn flow_text(text: &str) -> String {
    let bare = emit(&Value::from(text));
    let is_word = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/'));
    if is_word && bare.trim_end() == text {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    // JSON's escapes are YAML's too; what else a reader may not take as it stands is added.
    for character in Value::from(text).to_string().chars() {
        match character {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                write!(quoted, "\\u{:04X}", u32::from(character)).ok();
            }
            character => quoted.push(character),
        }
    }
    quoted
}
