//! From values to YAML text.

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::Value;
use serde_saphyr::{LitStr, ser_options};

#[cfg(test)]
mod tests;

/// Writes `value` as one YAML document that ends in a newline.
///
/// The text depends on the value alone: map keys in the order of the map (sorted, as
/// [`serde_json::Map`] keeps them), text with several lines as block scalars, and everything quoted
/// that a YAML 1.1 reader (Helm, `PyYAML`, the Kubernetes tools) could take for something else.
/// Long lines are not folded.
pub fn emit(value: &Value) -> String {
    let options = ser_options! { prefer_block_scalars: false };
    // Nothing in a JSON value makes the serializer fail. Should a version of it find something,
    // the same value as JSON, which is YAML too, is better than an empty file.
    serde_saphyr::to_string_with_options(&Emitted(value), options)
        .unwrap_or_else(|_| format!("{value:#}\n"))
}

/// A value, written as this module wants it.
struct Emitted<'a>(&'a Value);

impl Serialize for Emitted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(text) if text.contains('\n') && is_exact_as_block(text) => {
                LitStr(text).serialize(serializer)
            }
            Value::Array(values) => serializer.collect_seq(values.iter().map(Emitted)),
            Value::Object(map) => {
                let mut out = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in map {
                    out.serialize_entry(key, &Emitted(value))?;
                }
                out.end()
            }
            scalar => scalar.serialize(serializer),
        }
    }
}

/// Whether a literal block scalar gives every reader exactly this text.
fn is_exact_as_block(text: &str) -> bool {
    // A first line that is blank or indented needs an indentation indicator.
    !text.starts_with([' ', '\t', '\n'])
        && text.chars().all(|character| {
            matches!(character, '\n' | '\t' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
                && !matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}')
        })
}
