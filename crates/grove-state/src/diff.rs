//! Two states, compared by content.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::State;

/// What differs between two states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "difference")]
pub enum Difference {
    /// Only the first has it.
    OnlyFirst {
        /// The object's address, or `output.name`.
        address: String,
    },
    /// Only the second has it.
    OnlySecond {
        /// The object's address, or `output.name`.
        address: String,
    },
    /// Both have it, with other content.
    Changed {
        /// The object's address, or `output.name`.
        address: String,
        /// What of it differs, such as `attributes` or `dependencies`; never a value, which may be secret.
        fields: Vec<String>,
    },
}

/// Compares two states by address. Order, blanks, serial and lineage do not count; numbers are the same
/// where they are written the same.
pub fn diff(first: &State<'_>, second: &State<'_>) -> Vec<Difference> {
    let (first, mut second) = (content(first), content(second));
    let mut differences = Vec::new();
    for (address, fields) in first {
        let Some(others) = second.remove(&address) else {
            differences.push(Difference::OnlyFirst { address });
            continue;
        };
        let mut changed: Vec<String> = fields
            .iter()
            .filter(|(name, value)| others.get(*name) != Some(value))
            .map(|(name, _)| name.clone())
            .collect();
        changed.extend(
            others
                .keys()
                .filter(|name| !fields.contains_key(*name))
                .cloned(),
        );
        if !changed.is_empty() {
            differences.push(Difference::Changed {
                address,
                fields: changed,
            });
        }
    }
    differences.extend(
        second
            .into_keys()
            .map(|address| Difference::OnlySecond { address }),
    );
    differences
}

/// Address → what the object has, each in one form.
type Content = BTreeMap<String, BTreeMap<String, String>>;

fn content(state: &State<'_>) -> Content {
    let mut content = Content::new();
    for (name, value) in &state.outputs {
        let fields = BTreeMap::from([("value".to_owned(), canonical(value))]);
        content.insert(format!("output.{name}"), fields);
    }
    for resource in &state.resources {
        for instance in &resource.instances {
            let mut address = resource.address_of(instance).to_string();
            if let Some(deposed) = &instance.deposed {
                address = format!("{address} (deposed {deposed})");
            }
            let all = resource.fields.iter().chain(&instance.fields);
            let mut fields: BTreeMap<String, String> = all
                .map(|(name, value)| (name.to_string(), canonical(value)))
                .collect();
            let mut dependencies: Vec<&str> =
                instance.dependencies.iter().map(AsRef::as_ref).collect();
            dependencies.sort_unstable();
            fields.insert("dependencies".to_owned(), dependencies.join(" "));
            fields.insert("status".to_owned(), instance.is_tainted.to_string());
            content.insert(address, fields);
        }
    }
    content
}

/// A value with the keys of its objects in order and without blanks.
fn canonical(value: &RawValue) -> String {
    let text = value.get();
    if text.starts_with('{')
        && let Ok(map) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text)
    {
        let parts = map.into_iter().map(|(key, value)| {
            let key = serde_json::to_string(&key).unwrap_or_default();
            format!("{key}:{}", canonical(value))
        });
        return format!("{{{}}}", parts.collect::<Vec<_>>().join(","));
    }
    if text.starts_with('[')
        && let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(text)
    {
        let parts: Vec<String> = list.into_iter().map(canonical).collect();
        return format!("[{}]", parts.join(","));
    }
    if text.starts_with('"')
        && let Ok(plain) = serde_json::from_str::<String>(text)
    {
        return serde_json::to_string(&plain).unwrap_or_default();
    }
    text.to_owned()
}
