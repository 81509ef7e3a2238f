//! Workloads of several pods: apart from each other, and never gone all at once.

use serde_json::{Value, json};

use super::{draft::Draft, pass::Pass};
use crate::{Error, object::Object, workloads};

pub(super) const PASS: Pass = Pass {
    name: "disruption",
    summary: "A workload that may have several pods spreads them over zones and nodes where it can, and a \
              PodDisruptionBudget lets a drain take one at a time. One that has a single pod has no budget: \
              it would block every drain.",
    changes: &[
        "PodDisruptionBudget",
        "* /spec/template/spec/topologySpreadConstraints",
    ],
    apply,
};

/// What pods are spread over, by the labels that every node has.
const SPREAD: [&str; 2] = ["topology.kubernetes.io/zone", "kubernetes.io/hostname"];

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let several: Vec<(String, Value)> = draft
        .objects
        .iter()
        .filter(|object| workloads::is_workload(object))
        .filter(|workload| most(draft, workload) > 1)
        .filter(|workload| !has_budget(draft, workload))
        .filter_map(|workload| {
            let selector = workload.value().pointer("/spec/selector")?;
            Some((workload.name().to_owned(), selector.clone()))
        })
        .collect();
    for (name, selector) in several {
        let constraints = SPREAD.map(|key| {
            json!({"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": selector})
        });
        let workload = workloads::get_mut(&mut draft.objects, "resources", &name)?;
        let spec = workload
            .and_then(Object::pod_template_mut)
            .and_then(|template| template.get_mut("spec"))
            .and_then(Value::as_object_mut);
        if let Some(spec) = spec {
            spec.entry("topologySpreadConstraints")
                .or_insert_with(|| json!(constraints));
        }
        let body = json!({"spec": {"maxUnavailable": 1, "selector": selector}});
        draft.add("policy/v1", "PodDisruptionBudget", &name, body)?;
    }
    Ok(())
}

/// The most pods that the fleet gives a workload.
fn most(draft: &Draft<'_>, workload: &Object) -> u64 {
    let name = workload.name();
    let scaled = draft.instance.autoscaling.get(name);
    let stated = draft.instance.resources.get(name);
    scaled
        .map(|scaling| scaling.max)
        .or_else(|| stated?.replicas)
        .unwrap_or(1)
}

/// Whether a plugin brings a budget for it: two for one pod forbid every eviction.
fn has_budget(draft: &Draft<'_>, workload: &Object) -> bool {
    let labels = workload
        .pod_template()
        .and_then(|template| template.pointer("/metadata/labels"))
        .and_then(Value::as_object);
    let chosen = |selector: &serde_json::Map<String, Value>| {
        labels.is_some_and(|labels| {
            selector
                .iter()
                .all(|(key, value)| labels.get(key) == Some(value))
        })
    };
    draft
        .objects
        .iter()
        .filter(|object| object.kind() == "PodDisruptionBudget")
        .filter_map(|budget| {
            budget
                .value()
                .pointer("/spec/selector/matchLabels")?
                .as_object()
        })
        .any(chosen)
}

#[cfg(test)]
mod tests {
    use grove_fleet::model::{Resources, Scaling};
    use serde_json::json;

    use super::PASS;
    use crate::testing::{self, deployment};

    #[test]
    fn only_what_has_several_pods_has_a_budget() {
        let mut world = testing::World::default();
        let two = Resources {
            replicas: Some(2),
            ..Resources::default()
        };
        let scaling = Scaling {
            min: 1,
            max: 3,
            ..Scaling::default()
        };
        for name in ["lms", "notes"] {
            world
                .instance
                .resources
                .insert(name.to_owned(), two.clone());
        }
        world.instance.autoscaling.insert("cms".to_owned(), scaling);
        let own = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "own"},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app.kubernetes.io/name": "notes"}}}});
        let mut objects: Vec<_> = ["lms", "cms", "mfe", "notes"]
            .map(|name| deployment(name, "x:1"))
            .into();
        objects.push(own);
        let mut draft = world.draft(&[], objects).unwrap();
        insta::assert_snapshot!(testing::run(&PASS, &mut draft).unwrap(), @r#"
        + Deployment/cms /spec/template/spec/topologySpreadConstraints: [{"labelSelector":{"matchLabels":{"app.kubernetes.io/name":"cms"}},"maxSkew":1,"topologyKey":"topology.kubernetes.io/zone","whenUnsatisfiable":"ScheduleAnyway"},{"labelSelector":{"matchLabels":{"app.kubernetes.io/name":"cms"}},"maxSkew":1,"topologyKey":"kubernetes.io/hostname","whenUnsatisfiable":"ScheduleAnyway"}]
        + Deployment/lms /spec/template/spec/topologySpreadConstraints: [{"labelSelector":{"matchLabels":{"app.kubernetes.io/name":"lms"}},"maxSkew":1,"topologyKey":"topology.kubernetes.io/zone","whenUnsatisfiable":"ScheduleAnyway"},{"labelSelector":{"matchLabels":{"app.kubernetes.io/name":"lms"}},"maxSkew":1,"topologyKey":"kubernetes.io/hostname","whenUnsatisfiable":"ScheduleAnyway"}]
        + PodDisruptionBudget/cms
        + PodDisruptionBudget/lms
        "#);
        let budget = draft.objects.get("policy", "PodDisruptionBudget", "cms");
        insta::assert_snapshot!(budget.unwrap().value()["spec"].to_string(), @r#"{"maxUnavailable":1,"selector":{"matchLabels":{"app.kubernetes.io/name":"cms"}}}"#);
    }
}
