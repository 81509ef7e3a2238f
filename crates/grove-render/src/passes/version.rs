//! No version in pod templates.

use super::{draft::Draft, pass::Pass};
use crate::{Error, annotations};

pub(super) const PASS: Pass = Pass {
    name: "version",
    summary: "Tutor's version leaves the annotations of pod templates, where each patch release of \
              Tutor would restart everything, databases included. It stays on the objects.",
    changes: &[
        "* /spec/template/metadata/annotations",
        "* /spec/jobTemplate/metadata/annotations",
        "* /spec/jobTemplate/spec/template/metadata/annotations",
    ],
    apply,
};

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    for object in draft.objects.iter_mut() {
        if let Some(template) = object.pod_template_mut() {
            remove(template.get_mut("metadata"));
        }
        if object.kind() == "CronJob" {
            remove(object.value_mut().pointer_mut("/spec/jobTemplate/metadata"));
        }
    }
    Ok(())
}

/// Removes the version from the annotations of `metadata`, and annotations that are then empty.
fn remove(metadata: Option<&mut serde_json::Value>) {
    let Some(metadata) = metadata.and_then(serde_json::Value::as_object_mut) else {
        return;
    };
    if let Some(annotations) = metadata
        .get_mut("annotations")
        .and_then(|a| a.as_object_mut())
    {
        annotations.remove(annotations::VERSION);
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::PASS;
    use crate::testing::{self, deployment};

    #[test]
    fn the_version_stays_on_objects_only() {
        let version = json!({"app.kubernetes.io/version": "22.0.3"});
        let mut mysql = deployment("mysql", "mysql:8");
        mysql["metadata"]["annotations"] = version.clone();
        mysql["spec"]["template"]["metadata"]["annotations"] = version.clone();
        let mut lms = deployment("lms", "openedx:1");
        lms["spec"]["template"]["metadata"]["annotations"] =
            json!({"app.kubernetes.io/version": "22.0.3", "other": "1"});
        let cron = json!({
            "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "clean"},
            "spec": {"jobTemplate": {
                "metadata": {"annotations": version},
                "spec": {"template": {"metadata": {"annotations": version}, "spec": {}}},
            }},
        });
        insta::assert_snapshot!(testing::changes(&PASS, vec![mysql, lms, cron]), @r#"
        - CronJob/clean /spec/jobTemplate/metadata/annotations: {"app.kubernetes.io/version":"22.0.3"}
        - CronJob/clean /spec/jobTemplate/spec/template/metadata/annotations: {"app.kubernetes.io/version":"22.0.3"}
        - Deployment/lms /spec/template/metadata/annotations/app.kubernetes.io~1version: "22.0.3"
        - Deployment/mysql /spec/template/metadata/annotations: {"app.kubernetes.io/version":"22.0.3"}
        "#);
    }
}
