//! Names of Jobs.
//!
//! A Job runs once for its images, commands, the values they name and its retries: these make its
//! name. What it mounts does not, so that a changed setting repeats no migration.

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
    let fingerprints: Vec<_> = used
        .iter()
        .map(|name| {
            (
                name,
                ciphertexts
                    .secrets
                    .get(name)
                    .map(|entry| &entry.fingerprint),
            )
        })
        .collect();
    let commands: Vec<_> = object::pod_spec(job)
        .into_iter()
        .flat_map(object::containers)
        .map(|container| {
            json!([
                container.get("image"),
                container.get("command"),
                container.get("args")
            ])
        })
        .collect();
    let retry = object::annotation(before, names::RETRY);
    let suffix = suffix(&json!([logical, commands, fingerprints, retry]));
    let mut start = logical;
    while start.len() + 1 + suffix.len() > LONGEST || start.ends_with(['-', '.']) {
        let mut symbols = start.chars();
        symbols.next_back();
        start = symbols.as_str();
    }
    let name = format!("{start}-{suffix}");
    object::rename(job, name);
}
