//! How many pods a workload has.

use serde_json::{Value, json};

use super::{draft::Draft, pass::Pass};
use crate::{
    Error, data_services, pod,
    workloads::{self, amounts},
};

pub(super) const PASS: Pass = Pass {
    name: "autoscalers",
    summary: "Each workload of `autoscaling` has a HorizontalPodAutoscaler, which counts what its pods use \
              against what they request.",
    changes: &["HorizontalPodAutoscaler"],
    apply,
};

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    for (name, scaling) in &draft.instance.autoscaling {
        let found = workloads::get(&draft.objects, "autoscaling", name)?;
        let Some(workload) = found else { continue };
        if scaling.max > 1 && data_services::is_data_service(workload) {
            return Err(data_services::scaled(name));
        }
        let targets = [("cpu", scaling.cpu), ("memory", scaling.memory)];
        let requests: Vec<_> = workload
            .pod_template()
            .into_iter()
            .flat_map(pod::long_running)
            .map(|container| amounts(container, "requests"))
            .collect();
        let mut metrics = Vec::new();
        for (resource, target) in targets {
            let Some(target) = target else { continue };
            // Kubernetes counts no pod of which one container requests nothing.
            if requests.iter().any(|stated| !stated.contains_key(resource)) {
                return Err(Error::new(
                    format!(
                        "`autoscaling.{name}.{resource}` is a share of what {name} requests, and it requests no {resource}"
                    ),
                    "state it under `resources.<workload>.requests`",
                ));
            }
            metrics.push(json!({"type": "Resource", "resource": {
                "name": resource, "target": {"type": "Utilization", "averageUtilization": target},
            }}));
        }
        let kind = workload.kind().to_owned();
        let body = json!({"spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": name},
            "minReplicas": scaling.min,
            "maxReplicas": scaling.max,
            "metrics": Value::from(metrics),
        }});
        draft.add("autoscaling/v2", "HorizontalPodAutoscaler", name, body)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use grove_fleet::model::Scaling;
    use serde_json::json;

    use super::PASS;
    use crate::testing::{self, deployment};

    fn run(name: &str, scaling: Scaling) -> Result<String, crate::Error> {
        let mut world = testing::World::default();
        world.instance.autoscaling.insert(name.to_owned(), scaling);
        let mut lms = deployment("lms", "openedx:1");
        lms["spec"]["template"]["spec"]["containers"][0]["resources"] =
            json!({"requests": {"memory": "2Gi"}});
        // A limit without a request is a request to Kubernetes.
        let mut cms = deployment("cms", "openedx:1");
        cms["spec"]["template"]["spec"]["containers"][0]["resources"] =
            json!({"limits": {"cpu": "1", "memory": "2Gi"}});
        let objects = vec![lms, cms, deployment("redis", "redis:7")];
        let mut draft = world.draft(&[], objects)?;
        let changes = testing::run(&PASS, &mut draft)?;
        let made = draft
            .objects
            .get("autoscaling", "HorizontalPodAutoscaler", name);
        Ok(format!("{changes}\n{}", made.unwrap().value()["spec"]))
    }

    #[test]
    fn a_workload_is_scaled_by_what_it_requests() {
        let scaling = Scaling {
            min: 2,
            max: 6,
            memory: Some(80),
            ..Scaling::default()
        };
        insta::assert_snapshot!(run("lms", scaling).unwrap(), @r#"
        + HorizontalPodAutoscaler/lms
        {"maxReplicas":6,"metrics":[{"resource":{"name":"memory","target":{"averageUtilization":80,"type":"Utilization"}},"type":"Resource"}],"minReplicas":2,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"lms"}}
        "#);
        let cpu = Scaling {
            cpu: Some(70),
            ..scaling
        };
        insta::assert_snapshot!(run("lms", cpu).unwrap_err(), @"`autoscaling.lms.cpu` is a share of what lms requests, and it requests no cpu");
        assert!(run("cms", cpu).unwrap().contains("averageUtilization\":70"));
        insta::assert_snapshot!(run("redis", scaling).unwrap_err(), @"redis keeps data on one volume, and two pods of it would spoil it");
    }
}
