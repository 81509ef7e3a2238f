//! Names of Jobs.
//!
//! A Job runs once for its images, commands, the values they name and its retries: these make its
//! name. What it mounts does not, so that a changed setting repeats no migration. A Job that fills an
//! index takes long and is only needed where the engine is another: that and its retries make its name.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{object, suffix};
use crate::{Ciphertexts, names, placeholder};

/// The longest name of a Job from which Kubernetes can make labels of its pods.
const LONGEST: usize = 63;

/// Names a sealed Job; `before` is the Job with its placeholders. One without a logical name, as a
/// hook's, keeps its name.
pub(super) fn name(job: &mut Value, before: &Value, ciphertexts: &Ciphertexts) {
    let Some(logical) = object::annotation(before, names::NAME) else {
        return;
    };
    let retry = object::annotation(before, names::RETRY);
    let suffix = if object::annotation(before, names::TASK_CLASS) == Some("data") {
        let engine = object::annotation(before, names::ENGINE);
        suffix(&json!([logical, engine, retry]))
    } else {
        suffix(&json!([
            logical,
            commands(job),
            fingerprints(before, ciphertexts),
            retry
        ]))
    };
    let mut start = logical;
    while start.len() + 1 + suffix.len() > LONGEST || start.ends_with(['-', '.']) {
        let mut symbols = start.chars();
        symbols.next_back();
        start = symbols.as_str();
    }
    let name = format!("{start}-{suffix}");
    object::rename(job, name);
}

/// The fingerprints of the values that a Job names, by name.
fn fingerprints(before: &Value, ciphertexts: &Ciphertexts) -> Value {
    let mut used = BTreeSet::new();
    for container in object::pod_spec(before)
        .into_iter()
        .flat_map(object::containers)
    {
        for field in ["command", "args", "env"] {
            if let Some(value) = container.get(field) {
                placeholder::collect(value, &mut used);
            }
        }
    }
    used.iter()
        .map(|name| {
            let entry = ciphertexts.secrets.get(name);
            json!([name, entry.map(|entry| &entry.fingerprint)])
        })
        .collect()
}

/// What a Job runs: image, command and arguments of each container.
fn commands(job: &Value) -> Value {
    object::pod_spec(job)
        .into_iter()
        .flat_map(object::containers)
        .map(|container| {
            json!([
                container.get("image"),
                container.get("command"),
                container.get("args")
            ])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(class: &str, engine: &str, image: &str) -> String {
        let job = json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "cms-data", "annotations": {
                names::NAME: "cms-data", names::TASK_CLASS: class, names::ENGINE: engine,
            }},
            "spec": {"template": {"spec": {"containers": [{"name": "cms", "image": image}]}}},
        });
        let mut new = job.clone();
        name(&mut new, &job, &Ciphertexts::new("", "uni"));
        object::name(&new).to_owned()
    }

    #[test]
    fn a_new_image_repeats_a_migration_and_no_reindexing() {
        assert_ne!(named("migrate", "", "a:1"), named("migrate", "", "a:2"));
        assert_eq!(
            named("data", "meilisearch 1.36", "a:1"),
            named("data", "meilisearch 1.36", "a:2")
        );
        assert_ne!(
            named("data", "meilisearch 1.36", "a:1"),
            named("data", "meilisearch 1.37", "a:1")
        );
    }
}
