//! How an instance's workloads run.

use std::collections::BTreeMap;

use super::read::{flag, list, number, text, texts};
use crate::{
    Quantity,
    layer::Merged,
    model::{Cron, Overlap, Resources, Scaling, Worker},
};

pub(super) fn resources(merged: &Merged<'_>) -> Resources {
    let amounts = |key: &str| merged.get(key).map(quantities).unwrap_or_default();
    let tolerations = merged.get("tolerations").map(Merged::to_json);
    Resources {
        requests: amounts("requests"),
        limits: amounts("limits"),
        replicas: number(merged, "replicas"),
        concurrency: number(merged, "concurrency"),
        probes: flag(merged, "probes"),
        grace: number(merged, "grace"),
        nodes: texts(merged, "nodes"),
        tolerations: match tolerations {
            Some(serde_json::Value::Array(all)) => all,
            _ => Vec::new(),
        },
    }
}

pub(super) fn scaling(merged: &Merged<'_>) -> Scaling {
    let of = |key| number(merged, key);
    Scaling {
        min: of("min").unwrap_or(1),
        max: of("max").unwrap_or(1),
        cpu: of("cpu"),
        memory: of("memory"),
    }
}

pub(super) fn cron(merged: &Merged<'_>) -> Cron {
    let text = |key: &str| merged.get(key).and_then(Merged::as_str);
    let owned = |key: &str| text(key).unwrap_or_default().to_owned();
    Cron {
        schedule: owned("schedule"),
        timezone: text("timezone").map(str::to_owned),
        service: owned("service"),
        command: list(merged, "command"),
        overlap: text("overlap")
            .and_then(Overlap::from_name)
            .unwrap_or_default(),
        deadline: number(merged, "deadline"),
    }
}

/// A further worker.
pub(super) fn worker(merged: &Merged<'_>) -> Worker {
    Worker {
        service: text(merged, "service").unwrap_or_else(|| "lms".to_owned()),
        queues: list(merged, "queues"),
    }
}

/// Amounts by name.
pub(super) fn quantities(merged: &Merged<'_>) -> BTreeMap<String, Quantity> {
    let amounts = merged.entries();
    amounts
        .filter_map(|(name, amount)| Some((name.to_owned(), Quantity::of(&amount.node.value)?)))
        .collect()
}
