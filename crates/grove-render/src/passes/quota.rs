//! How much an instance may use of its cluster.

use std::collections::BTreeMap;

use grove_fleet::Quantity;
use serde_json::{Value, json};

use super::{draft::Draft, pass::Pass};
use crate::{
    Error,
    object::Object,
    pod,
    workloads::{self, amounts},
};

pub(super) const PASS: Pass = Pass {
    name: "quota",
    summary: "What `quota` allows is a ResourceQuota of the namespace, and what a container has that states \
              nothing a LimitRange. A quota that the instance's own workloads and one Job more would \
              exceed is refused: pods would be missing without a word.",
    changes: &["LimitRange", "ResourceQuota"],
    apply,
};

/// The name of both objects.
const NAME: &str = "instance";

/// Resources of pods that a quota counts, and where a container states them.
const COUNTED: &[(&str, &str, &str)] = &[
    ("cpu", "requests", "cpu"),
    ("memory", "requests", "memory"),
    ("requests.cpu", "requests", "cpu"),
    ("requests.memory", "requests", "memory"),
    ("limits.cpu", "limits", "cpu"),
    ("limits.memory", "limits", "memory"),
];

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let instance = draft.instance;
    let texts = |all: &BTreeMap<String, Quantity>| -> BTreeMap<String, String> {
        all.iter()
            .map(|(name, amount)| (name.clone(), amount.to_string()))
            .collect()
    };
    let (requests, limits) = (&instance.container.requests, &instance.container.limits);
    if !requests.is_empty() || !limits.is_empty() {
        let mut limit = json!({"type": "Container"});
        for (key, amounts) in [("defaultRequest", requests), ("default", limits)] {
            if !amounts.is_empty() {
                limit[key] = json!(texts(amounts));
            }
        }
        let body = json!({"spec": {"limits": [limit]}});
        draft.add("v1", "LimitRange", NAME, body)?;
    }
    if instance.quota.is_empty() {
        return Ok(());
    }
    for (name, allowed) in &instance.quota {
        let needed = match COUNTED.iter().find(|(known, ..)| known == name) {
            Some((_, key, resource)) => Some(needed(draft, name, key, resource)?),
            None if name == "pods" => Some(count(draft)),
            None => None,
        };
        if needed.is_some_and(|needed| needed > allowed.thousandths()) {
            return Err(Error::new(
                format!(
                    "`quota.hard` allows {allowed} of {name}, and the instance needs {needed}",
                    needed = shown(needed.unwrap_or_default(), name)
                ),
                "raise the quota, or state less under `resources` and `autoscaling`",
            ));
        }
    }
    let body = json!({"spec": {"hard": texts(&instance.quota)}});
    draft.add("v1", "ResourceQuota", NAME, body)
}

/// What all workloads need together, and the Job that needs most, in thousandths.
fn needed(draft: &Draft<'_>, quota: &str, key: &str, resource: &str) -> Result<u128, Error> {
    let (mut sum, mut largest) = (0, 0);
    for object in draft.objects.iter() {
        let Some(template) = object.pod_template() else {
            continue;
        };
        let mut pod = 0;
        for container in pod::long_running(template) {
            let own = amounts(container, key).remove(resource);
            let amount = own
                .or_else(|| default(draft, key, resource))
                .ok_or_else(|| {
                    let object = object.id();
                    Error::new(
                        format!(
                            "`quota.hard` counts {quota}, and {object} states no {key}.{resource}: \
                             none of its pods would start"
                        ),
                        "state it under `resources`, or for all containers under `quota.container`",
                    )
                })?;
            pod += amount.thousandths();
        }
        if workloads::is_workload(object) {
            sum += pod * u128::from(most(draft, object));
        } else {
            largest = pod.max(largest);
        }
    }
    Ok(sum + largest)
}

/// What a container has that states nothing: a limit is a request as well.
fn default(draft: &Draft<'_>, key: &str, resource: &str) -> Option<Quantity> {
    let container = &draft.instance.container;
    let limit = container.limits.get(resource);
    match key {
        "requests" => container.requests.get(resource).or(limit).cloned(),
        _ => limit.cloned(),
    }
}

/// The pods of all workloads, and one Job, in thousandths.
fn count(draft: &Draft<'_>) -> u128 {
    let workloads = draft
        .objects
        .iter()
        .filter(|object| workloads::is_workload(object));
    let pods: u64 = workloads.map(|workload| most(draft, workload)).sum();
    u128::from(pods + 1) * 1000
}

/// The most pods that a workload has.
fn most(draft: &Draft<'_>, workload: &Object) -> u64 {
    let scaled = draft.objects.iter().find(|object| {
        let target = object.value().pointer("/spec/scaleTargetRef/name");
        object.kind() == "HorizontalPodAutoscaler"
            && target.and_then(Value::as_str) == Some(workload.name())
    });
    let number =
        |object: &Object, pointer: &str| object.value().pointer(pointer).and_then(Value::as_u64);
    scaled
        .and_then(|scaled| number(scaled, "/spec/maxReplicas"))
        .or_else(|| number(workload, "/spec/replicas"))
        .unwrap_or(1)
}

/// Thousandths as somebody would write them.
fn shown(thousandths: u128, resource: &str) -> String {
    if resource.ends_with("memory") {
        format!("{}Mi", thousandths.div_ceil(1000 << 20))
    } else if thousandths.is_multiple_of(1000) {
        (thousandths / 1000).to_string()
    } else {
        format!("{thousandths}m")
    }
}

#[cfg(test)]
mod tests {
    use grove_fleet::{Quantity, model::Resources};
    use serde_json::json;

    use super::PASS;
    use crate::testing::{self, deployment, template_job};

    fn run(hard: &[(&str, &str)], container: &[(&str, &str)]) -> Result<String, crate::Error> {
        let amounts = |all: &[(&str, &str)]| {
            let amount =
                |(name, text): &(&str, &str)| ((*name).to_owned(), Quantity::parse(text).unwrap());
            all.iter().map(amount).collect()
        };
        let mut world = testing::World::default();
        world.instance.quota = amounts(hard);
        world.instance.container = Resources {
            requests: amounts(container),
            ..Resources::default()
        };
        let mut lms = deployment("lms", "openedx:1");
        lms["spec"]["replicas"] = json!(2);
        lms["spec"]["template"]["spec"]["containers"][0]["resources"] =
            json!({"requests": {"memory": "2Gi"}});
        let objects = vec![
            lms,
            deployment("caddy", "caddy:2"),
            template_job("lms", "openedx:1"),
        ];
        let mut draft = world.draft(&[], objects)?;
        let changes = testing::run(&PASS, &mut draft)?;
        let made = draft
            .objects
            .iter()
            .filter(|object| object.name() == "instance");
        let made: Vec<String> = made
            .map(|object| object.value()["spec"].to_string())
            .collect();
        Ok(format!("{changes}\n{}", made.join("\n")))
    }

    #[test]
    fn a_quota_is_held_against_what_the_instance_needs() {
        let container = [("memory", "256Mi"), ("cpu", "50m")];
        assert_eq!(run(&[], &[]).unwrap(), "\n");
        insta::assert_snapshot!(run(&[("requests.memory", "4608Mi"), ("pods", "4"), ("requests.storage", "1Gi")], &container).unwrap(), @r#"
        + LimitRange/instance
        + ResourceQuota/instance
        {"limits":[{"defaultRequest":{"cpu":"50m","memory":"256Mi"},"type":"Container"}]}
        {"hard":{"pods":"4","requests.memory":"4608Mi","requests.storage":"1Gi"}}
        "#);
        insta::assert_snapshot!(run(&[("requests.memory", "4607Mi")], &container).unwrap_err(), @"`quota.hard` allows 4607Mi of requests.memory, and the instance needs 4608Mi");
        insta::assert_snapshot!(run(&[("requests.cpu", "199m")], &container).unwrap_err(), @"`quota.hard` allows 199m of requests.cpu, and the instance needs 200m");
        insta::assert_snapshot!(run(&[("pods", "3")], &container).unwrap_err(), @"`quota.hard` allows 3 of pods, and the instance needs 4");
        insta::assert_snapshot!(run(&[("limits.memory", "8Gi")], &container).unwrap_err(), @"`quota.hard` counts limits.memory, and Deployment/caddy states no limits.memory: none of its pods would start");
    }
}
