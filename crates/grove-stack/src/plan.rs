//! What a plan would do (<https://opentofu.org/docs/internals/json-format/>).

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Parts of resource types whose replacement loses what users have stored, or all that runs.
const PRECIOUS: [&str; 15] = [
    "bucket",
    "cluster",
    "database",
    "db_instance",
    "disk",
    "eks",
    "elasticache",
    "file_system",
    "kubernetes",
    "mongodb",
    "mysql",
    "postgres",
    "rds",
    "redis",
    "volume",
];

/// What a plan changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changes {
    /// Objects.
    pub objects: Vec<Change>,
    /// Outputs, by name.
    pub outputs: Vec<OutputChange>,
    /// Objects that others changed since the last apply.
    pub drift: Vec<Change>,
}

/// What becomes of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Its address.
    pub address: String,
    /// Its type.
    pub kind: String,
    /// In their order: `create`, `update`, `delete`, `forget`.
    pub actions: Vec<String>,
}

/// What becomes of one output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutputChange {
    /// Its name.
    pub name: String,
    /// In their order.
    pub actions: Vec<String>,
}

impl Changes {
    /// Reads a plan as `show -json` prints it.
    pub fn of(plan: &Value) -> Self {
        let objects = |list: &str| -> Vec<Change> {
            let all = plan[list].as_array().into_iter().flatten();
            // A data source is read anew at every plan.
            all.filter(|object| object["mode"] != "data")
                .map(|object| Change {
                    address: text(&object["address"]),
                    kind: text(&object["type"]),
                    actions: actions(&object["change"]),
                })
                .filter(|change| !is_nothing(&change.actions))
                .collect()
        };
        let outputs = plan["output_changes"].as_object().into_iter().flatten();
        Self {
            objects: objects("resource_changes"),
            drift: objects("resource_drift"),
            outputs: outputs
                .map(|(name, change)| OutputChange {
                    name: name.clone(),
                    actions: actions(change),
                })
                .filter(|change| !is_nothing(&change.actions))
                .collect(),
        }
    }

    /// Whether an apply would change neither an object nor an output.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.outputs.is_empty()
    }

    /// What would be lost: every object that is destroyed, and every database, cluster or bucket that is
    /// replaced.
    pub fn losses(&self) -> impl Iterator<Item = &Change> {
        self.objects.iter().filter(|change| {
            let is = |action: &str| change.actions.iter().any(|known| known == action);
            let is_precious = PRECIOUS.iter().any(|part| change.kind.contains(part));
            is("delete") && (!is("create") || is_precious)
        })
    }

    /// `+1 ~0 -/+0 -2`: how many objects are made, changed, replaced and destroyed.
    pub fn counts(&self) -> String {
        let count = |wanted: fn(&Change) -> bool| {
            self.objects.iter().filter(|change| wanted(change)).count()
        };
        let replaced = count(|change| change.actions.len() == 2);
        let replaced = match replaced {
            0 => String::new(),
            number => format!(" -/+{number}"),
        };
        let outputs = match (self.objects.len(), self.outputs.len()) {
            (0, number) if number > 0 => format!(" ({} changed)", outputs(number)),
            _ => String::new(),
        };
        format!(
            "+{} ~{} -{}{replaced}{outputs}",
            count(|change| change.actions == ["create"]),
            count(|change| change.actions == ["update"]),
            count(|change| change.actions == ["delete"]),
        )
    }

    /// A line each: what happens to which object.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let objects = self
            .objects
            .iter()
            .map(|change| format!("{:<3} {}", sign(&change.actions), change.address));
        let outputs = self
            .outputs
            .iter()
            .map(|change| format!("{:<3} output.{}", sign(&change.actions), change.name));
        objects.chain(outputs)
    }
}

fn outputs(number: usize) -> String {
    format!("{number} output{}", if number == 1 { "" } else { "s" })
}

fn sign(actions: &[String]) -> &'static str {
    match actions {
        [one] if one == "create" => "+",
        [one] if one == "update" => "~",
        [one] if one == "delete" => "-",
        [one] if one == "forget" => ".",
        [first, _] if first == "delete" => "-/+",
        _ => "+/-",
    }
}

/// Keys in addresses are data of others, and may hold what moves a terminal's cursor.
fn text(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    text.chars().filter(|c| !c.is_control()).collect()
}

fn actions(change: &Value) -> Vec<String> {
    let list = change["actions"].as_array().into_iter().flatten();
    list.map(text).collect()
}

fn is_nothing(actions: &[String]) -> bool {
    actions
        .iter()
        .all(|action| action == "no-op" || action == "read")
}

/// Every text in a plan that it marks as sensitive, so that messages can be cleaned of it.
pub fn sensitive(plan: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for list in ["resource_changes", "resource_drift"] {
        for object in plan[list].as_array().into_iter().flatten() {
            marked_of(&object["change"], &mut found);
        }
    }
    for (_, change) in plan["output_changes"].as_object().into_iter().flatten() {
        marked_of(change, &mut found);
    }
    found
}

fn marked_of(change: &Value, found: &mut BTreeSet<String>) {
    for side in ["before", "after"] {
        marked(&change[side], &change[format!("{side}_sensitive")], found);
    }
}

/// `marks` has the shape of the value, with `true` in the places that are sensitive.
fn marked(value: &Value, marks: &Value, found: &mut BTreeSet<String>) {
    match (marks, value) {
        (Value::Bool(true), value) => texts(value, found),
        (Value::Object(marks), Value::Object(values)) => {
            for (key, marks) in marks {
                if let Some(value) = values.get(key) {
                    marked(value, marks, found);
                }
            }
        }
        (Value::Array(marks), Value::Array(values)) => {
            for (marks, value) in marks.iter().zip(values) {
                marked(value, marks, found);
            }
        }
        _ => {}
    }
}

/// Every text in a value.
pub fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            found.insert(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(values) => values.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan() -> Value {
        let change = |address: &str, kind: &str, actions: &[&str]| json!({"address": address, "type": kind, "mode": "managed", "change": {"actions": actions}});
        json!({
            "resource_changes": [
                change("x_network.a", "x_network", &["no-op"]),
                change("x_network.b", "x_network", &["delete", "create"]),
                change("x_database.c", "x_database", &["create", "delete"]),
                change("x_user.d", "x_user", &["delete"]),
                {"address": "data.x.e", "type": "x", "mode": "data", "change": {"actions": ["read"]}},
            ],
            "resource_drift": [change("x_network.a", "x_network", &["update"])],
            "output_changes": {
                "host": {"actions": ["update"], "before": "a", "after": "b", "after_sensitive": false},
                "keys": {
                    "actions": ["no-op"],
                    "before": {"list": ["one", {"deep": "two"}]},
                    "before_sensitive": {"list": [false, true]},
                    "after": "three",
                    "after_sensitive": true,
                },
            },
        })
    }

    #[test]
    fn only_what_changes_is_named() {
        let changes = Changes::of(&plan());
        let lines: Vec<String> = changes.lines().collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        -/+ x_network.b
        +/- x_database.c
        -   x_user.d
        ~   output.host
        ");
        insta::assert_snapshot!(changes.counts(), @"+0 ~0 -1 -/+2");
        assert_eq!(changes.drift.len(), 1);
    }

    #[test]
    fn what_is_destroyed_and_what_holds_data_is_a_loss() {
        let changes = Changes::of(&plan());
        let lost: Vec<&str> = changes
            .losses()
            .map(|change| change.address.as_str())
            .collect();
        assert_eq!(lost, ["x_database.c", "x_user.d"]);
    }

    #[test]
    fn sensitive_texts_are_found_wherever_they_stand() {
        let found: Vec<String> = sensitive(&plan()).into_iter().collect();
        assert_eq!(found, ["three", "two"]);
    }
}
