//! Waiting until what was applied works. The caller limits the time.

use std::time::Duration;

use serde_json::Value;

use super::Step;
use crate::{Connection, Error, apply::describe};

/// How often it is looked.
const ROUND: Duration = Duration::from_millis(500);

/// Waits until the API server serves the kinds among `objects`.
pub(super) async fn established(connection: &Connection, objects: &[&Value]) -> Result<(), Error> {
    for object in objects {
        if object.get("kind").and_then(Value::as_str) != Some("CustomResourceDefinition") {
            continue;
        }
        while !connection
            .get(object)
            .await?
            .is_some_and(|found| has_condition(&found, "Established"))
        {
            tokio::time::sleep(ROUND / 5).await;
        }
    }
    Ok(())
}

/// Waits until every workload of a step has its pods.
pub(super) async fn available(
    connection: &Connection,
    step: &Step,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(), Error> {
    let mut said = String::new();
    loop {
        let mut missing = Vec::new();
        for object in &step.objects {
            let is_workload = matches!(
                object.get("kind").and_then(Value::as_str),
                Some("Deployment" | "StatefulSet")
            );
            if is_workload
                && !connection
                    .get(object)
                    .await?
                    .is_some_and(|found| is_rolled_out(&found))
            {
                missing.push(describe(object));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let text = format!("waiting for {}", missing.join(", "));
        if text != said {
            progress(&text);
            said = text;
        }
        tokio::time::sleep(ROUND).await;
    }
}

fn has_condition(object: &Value, name: &str) -> bool {
    object
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == name && condition["status"] == "True")
}

/// Whether all pods of a Deployment or `StatefulSet` are of its present template and ready.
fn is_rolled_out(object: &Value) -> bool {
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
    let wanted = number("/spec/replicas").unwrap_or(1);
    let observed = number("/status/observedGeneration") >= number("/metadata/generation");
    let has = |pointer: &str| number(pointer).unwrap_or(0) >= wanted;
    wanted == 0 || observed && has("/status/updatedReplicas") && has("/status/readyReplicas")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::is_rolled_out;

    #[test]
    fn a_rollout_is_done_when_the_newest_pods_are_ready() {
        let mut object = json!({"metadata": {"generation": 2}, "spec": {"replicas": 1},
            "status": {"observedGeneration": 1, "updatedReplicas": 1, "readyReplicas": 1}});
        assert!(!is_rolled_out(&object));
        object["status"]["observedGeneration"] = json!(2);
        assert!(is_rolled_out(&object));
        object["status"]["updatedReplicas"] = json!(0);
        assert!(!is_rolled_out(&object));
        object["spec"]["replicas"] = json!(0);
        assert!(is_rolled_out(&object));
        assert!(!is_rolled_out(&json!({"spec": {}})));
    }
}
