//! Outputs of stacks where the fleet's files refer to them: `{output: stack.name}`.

use grove_stack::{
    root::{Blocked, Resolved, resolve as value_of},
    stack::Reference,
};
use serde_json::Value;

use crate::{Fleet, model::Waits};

/// Puts values in the places of references, and notes those that have none.
pub(super) fn resolve(fleet: &mut Fleet) {
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

/// Whose references they are.
struct Owner<'a> {
    cluster: &'a str,
    instance: Option<&'a str>,
    stacks: &'a std::collections::BTreeMap<grove_stack::stack::Address, grove_stack::stack::Stack>,
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
