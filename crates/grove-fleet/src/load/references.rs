//! Outputs of stacks where the fleet's files refer to them: `{output: stack.name}`.

use std::collections::BTreeMap;

use grove_stack::{
    root::{Blocked, Resolved, resolve as value_of},
    stack::Reference,
};
use serde::Serialize;
use serde_json::Value;

use crate::{Address, Fleet, layout, model::Waits};

/// Puts values in the places of references, and notes those that have none.
///
/// `data` is that of each instance as it is stated.
pub(super) fn resolve(fleet: &mut Fleet, data: &mut BTreeMap<Address, Value>) {
    let stacks = &fleet.stacks;
    for (address, instance) in &mut fleet.instances {
        let owner = Owner {
            cluster: &address.cluster,
            instance: Some(&address.instance),
            stacks,
        };
        let mut waits = Vec::new();
        for (name, value) in &mut instance.config {
            owner.fill(
                value,
                &mut vec!["config".to_owned(), name.clone()],
                &mut waits,
            );
        }
        for (service, env) in &mut instance.env {
            for (name, value) in &mut env.settings {
                let mut path = ["env", service, "settings", name]
                    .map(str::to_owned)
                    .to_vec();
                owner.fill(value, &mut path, &mut waits);
            }
        }
        if let Some(data) = data.get_mut(address) {
            owner.fill(data, &mut vec!["data".to_owned()], &mut waits);
        }
        instance.waits = waits;
    }
    for cluster in fleet.clusters.values_mut() {
        let owner = Owner {
            cluster: &cluster.name,
            instance: None,
            stacks,
        };
        let mut waits = Vec::new();
        if let Some(harmony) = &mut cluster.harmony {
            let mut path = ["harmony", "values"].map(str::to_owned).to_vec();
            owner.fill(&mut harmony.values, &mut path, &mut waits);
        }
        for (name, values) in &mut cluster.addons {
            owner.fill(
                values,
                &mut vec!["addons".to_owned(), name.clone()],
                &mut waits,
            );
        }
        cluster.waits = waits;
    }
}

/// A reference to an output, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Given {
    /// `stack.output`.
    pub output: String,
    /// The file that has its value, from the fleet's root; none where there is no such stack.
    pub file: Option<String>,
    /// Its value, where it has one that may be shown.
    pub value: Option<Value>,
    /// Why it has none.
    pub why: Option<String>,
}

/// Every reference in a value of an instance.
pub fn given(fleet: &Fleet, address: &Address, value: &Value) -> Vec<Given> {
    let mut found = Vec::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        if let Some(reference) = reference(value) {
            let (cluster, instance) = (&address.cluster, Some(address.instance.as_str()));
            let stack = reference.resolve(cluster, instance, &fleet.stacks);
            let file = stack.map(|stack| {
                let is_stated = fleet
                    .stacks
                    .get(&stack)
                    .is_some_and(|one| one.module().is_none());
                match (is_stated, &stack.instance) {
                    (false, _) => stack.outputs_file(),
                    (true, None) => layout::cluster(cluster),
                    (true, Some(_)) => layout::instance(address),
                }
            });
            let (value, why) = match value_of(&reference, cluster, instance, &fleet.stacks) {
                Ok(Resolved::Plain(value)) => (Some(value.clone()), None),
                Ok(_) => (None, Some("it is sensitive".to_owned())),
                Err(why) => (None, Some(why.to_string())),
            };
            found.push(Given {
                output: reference.to_string(),
                file,
                value,
                why,
            });
            continue;
        }
        match value {
            Value::Object(map) => open.extend(map.values()),
            Value::Array(values) => open.extend(values),
            _ => {}
        }
    }
    found.sort_by(|one, other| one.output.cmp(&other.output));
    found.dedup();
    found
}

/// Whose references they are.
struct Owner<'a> {
    cluster: &'a str,
    instance: Option<&'a str>,
    stacks: &'a BTreeMap<grove_stack::stack::Address, grove_stack::stack::Stack>,
}

impl Owner<'_> {
    fn fill(&self, value: &mut Value, path: &mut Vec<String>, waits: &mut Vec<Waits>) {
        if let Some(reference) = reference(value) {
            match value_of(&reference, self.cluster, self.instance, self.stacks) {
                Ok(Resolved::Plain(given)) => *value = given.clone(),
                Ok(Resolved::Sensitive { .. } | Resolved::Secret { .. }) => waits.push(Waits {
                    path: path.clone(),
                    why: Blocked::Sensitive(reference.to_string()),
                    reference,
                }),
                Err(why) => waits.push(Waits {
                    path: path.clone(),
                    reference,
                    why,
                }),
            }
            return;
        }
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    path.push(key.clone());
                    self.fill(value, path, waits);
                    path.pop();
                }
            }
            Value::Array(values) => {
                for (index, value) in values.iter_mut().enumerate() {
                    path.push(index.to_string());
                    self.fill(value, path, waits);
                    path.pop();
                }
            }
            _ => {}
        }
    }
}

/// The reference that a value is: a map of the one key `output`, whose text is `stack.name`.
pub(super) fn reference(value: &Value) -> Option<Reference> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    Reference::parse(map.get("output")?.as_str()?)
}
