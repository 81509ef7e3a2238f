//! No number of replicas where an autoscaler has the say.

use super::{draft::Draft, pass::Pass};
use crate::Error;

pub(super) const PASS: Pass = Pass {
    name: "autoscaling",
    summary: "A workload that a HorizontalPodAutoscaler scales states no number of replicas: each \
              sync would set it back, and the autoscaler would change it again.",
    changes: &["* /spec/replicas"],
    apply,
};

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let targets: Vec<(String, String)> = draft
        .objects
        .iter()
        .filter(|object| {
            (object.group(), object.kind()) == ("autoscaling", "HorizontalPodAutoscaler")
        })
        .filter_map(|object| {
            let target = object.value().pointer("/spec/scaleTargetRef")?;
            let text = |key: &str| Some(target.get(key)?.as_str()?.to_owned());
            Some((text("kind")?, text("name")?))
        })
        .collect();
    for (kind, name) in targets {
        let workload = draft.objects.get_mut("apps", &kind, &name);
        if let Some(spec) = workload
            .and_then(|workload| workload.value_mut().get_mut("spec"))
            .and_then(serde_json::Value::as_object_mut)
        {
            spec.remove("replicas");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::PASS;
    use crate::testing::{self, deployment};

    #[test]
    fn only_what_is_scaled_loses_its_replicas() {
        let of = |name: &str| {
            let mut workload = deployment(name, "openedx:1");
            workload["spec"]["replicas"] = json!(3);
            workload
        };
        let scaler = json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "lms"},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "lms"},
                "minReplicas": 2, "maxReplicas": 4},
        });
        insta::assert_snapshot!(testing::changes(&PASS, vec![of("lms"), of("cms"), scaler]), @"- Deployment/lms /spec/replicas: 3");
    }
}
