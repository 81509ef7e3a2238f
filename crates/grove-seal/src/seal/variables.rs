//! Variables of containers that come from configuration objects.
//!
//! The kubelet takes the sources of `envFrom` in their order, each over those before it, leaves out
//! names that are no variables, and puts `env` over all of them. A sealed object brings more keys than
//! it had, so its variables are named one by one in `env`: but for those that a later source has, too.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Error,
    references::{References, Target},
};

/// Has a container get from sealed objects what it got from the plain ones.
pub(super) fn follow(
    container: &mut Value,
    references: &References,
    title: &str,
) -> Result<(), Error> {
    let name = container.get("name").and_then(Value::as_str);
    let refusal = Refusal {
        object: title,
        container: name.unwrap_or_default().to_owned(),
    };
    let mut listed = sources(container, references, &refusal)?;
    let Some(map) = container.as_object_mut() else {
        return Ok(());
    };
    let own = map.get_mut("env").and_then(Value::as_array_mut);
    if let Some(own) = own {
        replaced(own, &mut listed, references, &refusal)?;
        if own.is_empty() && listed.is_empty() {
            map.remove("env");
        }
    }
    if listed.is_empty() {
        return Ok(());
    }
    let own = map.entry("env").or_insert_with(|| json!([]));
    if own.is_null() {
        *own = json!([]);
    }
    if let Some(own) = own.as_array_mut() {
        own.splice(0..0, listed.into_values());
    }
    Ok(())
}

/// Where something is refused.
struct Refusal<'a> {
    object: &'a str,
    container: String,
}

impl Refusal<'_> {
    fn variable(&self, name: &str) -> Error {
        Error::Variable {
            object: self.object.to_owned(),
            container: self.container.clone(),
            name: name.to_owned(),
        }
    }
}

/// Rewrites `envFrom`; the variables of sealed sources come back, by name.
fn sources(
    container: &mut Value,
    references: &References,
    refusal: &Refusal<'_>,
) -> Result<BTreeMap<String, Value>, Error> {
    let mut listed = BTreeMap::new();
    let Some(map) = container.as_object_mut() else {
        return Ok(listed);
    };
    let Some(sources) = map.get_mut("envFrom").and_then(Value::as_array_mut) else {
        return Ok(listed);
    };
    let before = sources.len();
    for mut source in std::mem::take(sources) {
        let prefix = source.get("prefix").and_then(Value::as_str);
        let prefix = prefix.unwrap_or_default().to_owned();
        let variables = |target: &Target| -> Vec<(String, String)> {
            let keys = target.variables.iter();
            keys.map(|key| (format!("{prefix}{key}"), key.clone()))
                .filter(|(name, _)| is_variable(name))
                .collect()
        };
        let reference = source.as_object_mut().and_then(|source| {
            let (field, kind) = if source.contains_key("configMapRef") {
                ("configMapRef", "ConfigMap")
            } else {
                ("secretRef", "Secret")
            };
            Some((kind, source.get_mut(field)?))
        });
        let target = reference
            .as_ref()
            .and_then(|(kind, reference)| references.get(kind, reference.get("name")));
        match (reference, target) {
            (Some((_, reference)), Some(target)) if !target.sealed => {
                reference["name"] = target.name.clone().into();
                for (name, _) in variables(target) {
                    listed.remove(&name);
                }
                sources.push(source);
            }
            (_, Some(target)) => {
                for (name, key) in variables(target) {
                    let reference = json!({ "name": target.name, "key": key });
                    let value_from = json!({ "secretKeyRef": reference });
                    let variable = json!({ "name": name, "valueFrom": value_from });
                    listed.insert(name, variable);
                }
            }
            (reference, None) => {
                // It may have any of these names, and would win.
                if !listed.is_empty() {
                    let name = reference.and_then(|(_, reference)| {
                        Some(reference.get("name")?.as_str()?.to_owned())
                    });
                    return Err(Error::EnvFrom {
                        object: refusal.object.to_owned(),
                        container: refusal.container.clone(),
                        source_name: name.unwrap_or_default(),
                    });
                }
                sources.push(source);
            }
        }
    }
    if sources.is_empty() && before > 0 {
        map.remove("envFrom");
    }
    Ok(listed)
}

/// Settles what `env` says of the same names, and what it takes of sealed objects one by one.
fn replaced(
    own: &mut Vec<Value>,
    listed: &mut BTreeMap<String, Value>,
    references: &References,
    refusal: &Refusal<'_>,
) -> Result<(), Error> {
    let mut kept = Vec::with_capacity(own.len());
    for variable in std::mem::take(own) {
        let name = variable.get("name").and_then(Value::as_str);
        let name = name.unwrap_or_default().to_owned();
        let found = look(&variable, references);
        match found {
            Found::Gained { optional: false } => {
                return Err(Error::NoKey {
                    object: refusal.object.to_owned(),
                    key: key_of(&variable).unwrap_or_default().to_owned(),
                });
            }
            Found::Gained { optional: true } => continue,
            Found::No if listed.contains_key(&name) => continue,
            Found::Yes | Found::No | Found::Unknown { .. } => {}
        }
        if listed.contains_key(&name) {
            // Read before it is replaced, or left as it was where the other side has nothing: either
            // needs both values under one name.
            let read = format!("$({name})");
            let reads = |one: &Value| {
                let value = one.get("value").and_then(Value::as_str);
                value.is_some_and(|value| value.contains(&read))
            };
            if kept.iter().chain([&variable]).any(reads)
                || matches!(found, Found::Unknown { optional: true })
            {
                return Err(refusal.variable(&name));
            }
            listed.remove(&name);
        }
        kept.push(variable);
    }
    *own = kept;
    Ok(())
}

/// Whether a variable gets a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Yes,
    /// Not from this object, which need not have the key.
    No,
    /// Only from the Secret that the object became.
    Gained {
        optional: bool,
    },
    /// It comes from an object that the tree has not.
    Unknown {
        optional: bool,
    },
}

fn look(variable: &Value, references: &References) -> Found {
    let Some(from) = variable.get("valueFrom") else {
        return Found::Yes;
    };
    for (field, kind) in [("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")] {
        let Some(reference) = from.get(field) else {
            continue;
        };
        let optional = reference.get("optional").and_then(Value::as_bool) == Some(true);
        let Some(target) = references.get(kind, reference.get("name")) else {
            return Found::Unknown { optional };
        };
        let key = key_of(variable).unwrap_or_default();
        if target.variables.iter().any(|own| own == key) {
            return Found::Yes;
        }
        return if target.has_gained(key, &target.variables) {
            Found::Gained { optional }
        } else if optional {
            Found::No
        } else {
            // The pod does not start, with Grove or without.
            Found::Yes
        };
    }
    Found::Yes
}

fn key_of(variable: &Value) -> Option<&str> {
    let from = variable.get("valueFrom")?;
    let reference = from
        .get("configMapKeyRef")
        .or_else(|| from.get("secretKeyRef"))?;
    reference.get("key")?.as_str()
}

/// Whether Kubernetes makes a variable of a key; others it leaves out.
fn is_variable(name: &str) -> bool {
    let mut symbols = name.chars();
    let first = |symbol: char| symbol.is_ascii_alphabetic() || "-._".contains(symbol);
    symbols.next().is_some_and(first)
        && symbols.all(|symbol| first(symbol) || symbol.is_ascii_digit())
        && name != "."
        && !name.starts_with("..")
}
