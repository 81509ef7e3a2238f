//! JSON values as Python literals.

use serde_json::{Map, Value};

/// How long a list or map may be to stand in one line.
const LINE: usize = 72;

/// An assignment of `value` to the setting `name`, with its newline.
///
/// A name that is no plain Django setting is assigned through the module's globals, so that it can
/// never be read as code.
pub(crate) fn assignment(name: &str, value: &Value) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_uppercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let target = if plain {
        name.to_owned()
    } else {
        format!("globals()[{}]", string(name))
    };
    format!("{target} = {}\n", literal(value))
}

/// A value as Python reads it.
pub(crate) fn literal(value: &Value) -> String {
    write(value, 0)
}

fn write(value: &Value, depth: usize) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        // JSON's numbers are Python's.
        Value::Number(number) => number.to_string(),
        Value::String(text) => string(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| write(item, depth + 1)).collect();
            enclose('[', &items, ']', depth)
        }
        Value::Object(map) => enclose('{', &pairs(map, depth), '}', depth),
    }
}

fn pairs(map: &Map<String, Value>, depth: usize) -> Vec<String> {
    map.iter()
        .map(|(key, value)| format!("{}: {}", string(key), write(value, depth + 1)))
        .collect()
}

/// Puts `items` in one line where they are short, else each in a line of its own.
fn enclose(open: char, items: &[String], close: char, depth: usize) -> String {
    let line = format!("{open}{}{close}", items.join(", "));
    if line.len() <= LINE && !line.contains('\n') {
        return line;
    }
    let indent = "    ".repeat(depth);
    let lines: Vec<String> = items
        .iter()
        .map(|item| format!("{indent}    {item},\n"))
        .collect();
    format!("{open}\n{}{indent}{close}", lines.concat())
}

/// A text in double quotes. Letters stay; whatever could be invisible or mean something is escaped.
pub(crate) fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            '\n' => quoted.push_str("\\n"),
            ' '..='~' => quoted.push(character),
            _ if character.is_alphanumeric() => quoted.push(character),
            _ => {
                let code = u32::from(character);
                let escape = match code {
                    0..=0xff => format!("\\x{code:02x}"),
                    0x100..=0xffff => format!("\\u{code:04x}"),
                    _ => format!("\\U{code:08x}"),
                };
                quoted.push_str(&escape);
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{assignment, literal, string};

    #[test]
    fn every_kind_of_value_is_a_literal() {
        let value = json!({
            "none": null, "yes": true, "no": false, "int": -3, "big": u64::MAX, "float": 1.5, "huge": 1e300,
            "list": [1, [], {}], "text": "quote \" backslash \\ newline \n nul \0 é \u{2028} 🎓",
            "map": {"a'b": {"deep": ["x".repeat(80), {"y": false}]}},
        });
        insta::assert_snapshot!(literal(&value), @r#"
        {
            "big": 18446744073709551615,
            "float": 1.5,
            "huge": 1e+300,
            "int": -3,
            "list": [1, [], {}],
            "map": {
                "a'b": {
                    "deep": [
                        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                        {"y": False},
                    ],
                },
            },
            "no": False,
            "none": None,
            "text": "quote \" backslash \\ newline \n nul \x00 é \u2028 \U0001f393",
            "yes": True,
        }
        "#);
    }

    #[test]
    fn names_are_never_code() {
        insta::assert_snapshot!(
            assignment("REGISTRATION_EXTRA_FIELDS", &json!({"city": "hidden"}))
                + &assignment("x = 1; import os", &json!(1))
                + &assignment("", &json!(1)),
            @r#"
        REGISTRATION_EXTRA_FIELDS = {"city": "hidden"}
        globals()["x = 1; import os"] = 1
        globals()[""] = 1
        "#);
    }

    #[test]
    fn a_text_stays_in_its_line() {
        assert!(!string("a\r\n\u{85}\u{2028}b").contains(['\r', '\n', '\u{85}', '\u{2028}']));
    }
}
