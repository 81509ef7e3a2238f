//! JSON Schemas of the files that people write, for editors and other programs.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::{
    Quantity,
    shape::{Choice, FileKind, Key, Keys, Support, Type},
};

/// Where the schemas are published.
const BASE: &str = "https://grove-platform.org/schemas";

/// The address of a kind's schema: what a file's first line names.
pub fn address(kind: FileKind) -> String {
    format!("{BASE}/{}.schema.json", kind.name())
}

/// The JSON Schema (2020-12) of a kind of file.
///
/// It says what the check of types, keys and values says; a key that this version does not render
/// yet is refused, with its meaning. Layered values may be `null`.
pub fn json(kind: FileKind) -> Value {
    let shape = kind.shape();
    let mut schema = object(shape.keys, false);
    schema.insert(
        "$schema".to_owned(),
        "https://json-schema.org/draft/2020-12/schema".into(),
    );
    schema.insert("$id".to_owned(), address(kind).into());
    schema.insert("title".to_owned(), shape.path.into());
    schema.insert("description".to_owned(), shape.doc.into());
    schema.into()
}

/// `within` is true below a layered key, where `null` takes away.
fn value(holds: &Type, within: bool) -> Map<String, Value> {
    let mut schema = match holds {
        Type::Text => map(json!({"type": "string"})),
        Type::Bool => map(json!({"type": "boolean"})),
        Type::Exactly(only) => map(json!({"const": only})),
        Type::Number(least, most) => map(json!({
            "type": "integer", "minimum": least, "maximum": most,
        })),
        Type::Quantity => map(json!({
            "type": ["string", "number"], "pattern": Quantity::PATTERN,
        })),
        Type::OneOf(choices) => one_of(choices),
        Type::Object(keys) => object(keys, within),
        Type::Map(holds) => map(json!({
            "type": "object",
            "additionalProperties": value(holds, within),
        })),
        Type::List(holds) => map(json!({"type": "array", "items": value(holds, false)})),
        Type::Either(usual, other) => map(json!({
            "oneOf": [value(usual, false), value(other, false)],
        })),
        Type::Any => Map::new(),
    };
    if within {
        allow_null(&mut schema);
    }
    schema
}

fn object(keys: Keys, within: bool) -> Map<String, Value> {
    let all = || keys.iter().flat_map(|group| group.iter());
    let properties = all()
        .map(|key| (key.name.to_owned(), property(key, within).into()))
        .collect::<Map<_, _>>();
    let mut schema = map(json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    }));
    let required = all()
        .filter(|key| key.required)
        .map(|key| Value::from(key.name))
        .collect::<Vec<_>>();
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema
}

fn property(key: &Key, within: bool) -> Map<String, Value> {
    match key.support {
        Support::Now | Support::Hidden => {
            let mut schema = value(&key.holds, within || key.layered);
            schema.insert("description".to_owned(), key.doc.into());
            schema
        }
        Support::NotYet => map(json!({
            "not": {},
            "description": format!("{} This version does not render it yet.", key.doc),
        })),
    }
}

fn one_of(choices: &[Choice]) -> Map<String, Value> {
    let known = || {
        choices
            .iter()
            .filter(|choice| choice.support == Support::Now)
    };
    map(json!({
        "type": "string",
        "enum": known().map(|choice| choice.value).collect::<Vec<_>>(),
        // Editors show these; validators pass them over.
        "enumDescriptions": known().map(|choice| choice.doc).collect::<Vec<_>>(),
    }))
}

fn allow_null(schema: &mut Map<String, Value>) {
    match schema.get_mut("type") {
        Some(Value::Array(several)) => several.push("null".into()),
        Some(one) => *one = json!([one, "null"]),
        None => {}
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
}

/// The map that a JSON literal of this module is.
fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
