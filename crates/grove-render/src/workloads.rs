//! The workloads of an instance, by the names that the fleet has for them.

use std::collections::BTreeMap;

use grove_fleet::{Quantity, near::nearest};
use serde_json::Value;

use crate::{
    Error, components,
    object::{Object, Objects},
};

/// Whether an object is a workload that the fleet may name.
pub(crate) fn is_workload(object: &Object) -> bool {
    object.group() == "apps" && matches!(object.kind(), "Deployment" | "StatefulSet")
}

/// The workload of a name; none where Tutor or an official plugin has it in other instances: a layer above
/// speaks for many. `key` is where the fleet names it.
pub(crate) fn get<'a>(
    objects: &'a Objects,
    key: &str,
    name: &str,
) -> Result<Option<&'a Object>, Error> {
    let mut known = objects.iter().filter(|object| is_workload(object));
    if let Some(found) = known.find(|object| object.name() == name) {
        return Ok(Some(found));
    }
    if components::is_known_workload(name) {
        return Ok(None);
    }
    let known = objects.iter().filter(|object| is_workload(object));
    let hint = match nearest(name, known.map(Object::name)) {
        Some(near) => format!("there is `{near}`"),
        None => "workloads are Deployments and StatefulSets: `grove render` writes them".to_owned(),
    };
    Err(Error::new(
        format!("`{key}` names {name}, and the environment has no such workload"),
        hint,
    ))
}

/// The same, to be changed.
pub(crate) fn get_mut<'a>(
    objects: &'a mut Objects,
    key: &str,
    name: &str,
) -> Result<Option<&'a mut Object>, Error> {
    let id = get(objects, key, name)?.map(Object::id);
    Ok(id.and_then(|id| objects.get_mut(&id.group, &id.kind, &id.name)))
}

/// The amounts of a container: of its `requests` or of its `limits`. A limit without a request is one as well,
/// as it is to Kubernetes. Ones that are no amounts are left out.
pub(crate) fn amounts(container: &Value, key: &str) -> BTreeMap<String, Quantity> {
    let mut amounts = stated(container, "limits");
    if key == "requests" {
        amounts.extend(stated(container, key));
    }
    amounts
}

fn stated(container: &Value, key: &str) -> BTreeMap<String, Quantity> {
    let all = container.pointer("/resources").and_then(|all| all.get(key));
    let all = all.and_then(Value::as_object);
    all.into_iter()
        .flatten()
        .filter_map(|(name, amount)| {
            let text = amount
                .as_str()
                .map_or_else(|| amount.to_string(), str::to_owned);
            Some((name.clone(), Quantity::parse(&text)?))
        })
        .collect()
}
