//! What is sent and stored as JSON comes back from it, and is as its schema says.

use schemars::{JsonSchema, schema_for};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Fails where a value does not survive JSON, or its JSON is not as the schema of its type says.
#[track_caller]
pub(crate) fn holds<T: Serialize + DeserializeOwned + JsonSchema>(value: &T) {
    let json = serde_json::to_value(value).unwrap();
    let text = json.to_string();
    let back: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(serde_json::to_value(back).unwrap(), json);
    let schema = schema_for!(T).to_value();
    if let Err(why) = check(&schema, &schema, &json) {
        panic!("{why}\n{json:#}\n{schema:#}");
    }
}

/// As much of JSON Schema (<https://json-schema.org/draft/2020-12>) as ours say.
fn check(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let Value::Object(words) = schema else {
        return match schema {
            Value::Bool(true) => Ok(()),
            _ => Err(format!("nothing may be here: {value}")),
        };
    };
    for (word, said) in words {
        let all = || said.as_array().into_iter().flatten();
        let fits = |schema: &&Value| check(root, schema, value).is_ok();
        let is_met = match word.as_str() {
            "$ref" => {
                let place = said.as_str().unwrap().strip_prefix('#').unwrap();
                let schema = root.pointer(place).ok_or_else(|| format!("no {said}"))?;
                check(root, schema, value)?;
                true
            }
            "type" => match said {
                Value::Array(types) => types.iter().any(|one| is(one, value)),
                one => is(one, value),
            },
            "const" => said == value,
            "enum" => all().any(|one| one == value),
            "oneOf" => all().filter(fits).count() == 1,
            "anyOf" => all().any(|schema| fits(&schema)),
            "allOf" => all().all(|schema| fits(&schema)),
            "required" => all().all(|name| value.get(name.as_str().unwrap()).is_some()),
            "properties" => {
                for (name, schema) in said.as_object().into_iter().flatten() {
                    if let Some(value) = value.get(name) {
                        check(root, schema, value).map_err(|why| format!("{name}: {why}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = words.get("properties").and_then(Value::as_object);
                for (name, value) in value.as_object().into_iter().flatten() {
                    if known.is_none_or(|known| !known.contains_key(name)) {
                        check(root, said, value).map_err(|why| format!("{name}: {why}"))?;
                    }
                }
                true
            }
            "items" => {
                for value in value.as_array().into_iter().flatten() {
                    check(root, said, value)?;
                }
                true
            }
            "minimum" => value
                .as_f64()
                .is_none_or(|number| number >= said.as_f64().unwrap()),
            "maximum" => value
                .as_f64()
                .is_none_or(|number| number <= said.as_f64().unwrap()),
            "minItems" => value
                .as_array()
                .is_none_or(|all| all.len() as u64 >= said.as_u64().unwrap()),
            "maxItems" => value
                .as_array()
                .is_none_or(|all| all.len() as u64 <= said.as_u64().unwrap()),
            "prefixItems" => {
                for (value, schema) in value.as_array().into_iter().flatten().zip(all()) {
                    check(root, schema, value)?;
                }
                true
            }
            "$schema" | "$defs" | "title" | "description" | "default" | "format"
            | "uniqueItems" | "pattern" | "minLength" | "maxLength" => true,
            other => return Err(format!("`{other}` is not understood here")),
        };
        if !is_met {
            return Err(format!("`{word}: {said}` is not met by {value}"));
        }
    }
    Ok(())
}

fn is(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("no type {other}"),
    }
}
