//! What a running release has.

use grove_fleet::{Address, near::nearest};
use grove_release::{Objects, Record, View};
use serde_json::Value;

use crate::{Error, Result};

/// The record and the objects of the running release.
pub(super) fn running_release(view: &View<'_>, address: &Address) -> Result<(Record, Objects)> {
    let never = || Error::refused(format!("{address} does not run yet")).hint("deploy it first");
    let record = view.latest(&address.instance)?.ok_or_else(never)?;
    let objects = view.objects(&address.instance)?.ok_or_else(never)?;
    Ok((record, objects))
}

/// The workload of a release by its name.
pub(super) fn workload<'a>(
    objects: &'a Objects,
    service: &str,
    address: &Address,
    release: u32,
) -> Result<&'a Value> {
    let name = |object: &'a Value| object.pointer("/metadata/name")?.as_str();
    let workloads = || objects.values().filter(|object| is_workload(object));
    let found = workloads().find(|object| name(object) == Some(service));
    found.ok_or_else(|| {
        let all: Vec<&str> = workloads().filter_map(name).collect();
        let error = Error::usage(format!(
            "release {release:04} of {address} has no service `{service}`"
        ));
        match nearest(service, all.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("there are: {}", all.join(", "))),
        }
    })
}

fn is_workload(object: &Value) -> bool {
    let kind = object.get("kind").and_then(Value::as_str);
    matches!(kind, Some("Deployment" | "StatefulSet"))
}
