//! A service's pod that does one thing and ends.

use serde_json::{Value, json};

use crate::pod;

/// The label by which Tutor's Services and Deployments choose their pods.
const NAME: &str = "app.kubernetes.io/name";

/// Where the files of a one-off Job are.
pub const FILES: &str = "/grove/files";

/// The volume that holds them.
const VOLUME: &str = "grove-files";

/// A Job to be run once with what a service of a release has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once<'a> {
    /// The Job's name.
    pub name: &'a str,
    /// Program and arguments. No shell reads them.
    pub command: &'a [String],
    /// The Secret whose keys are files below [`FILES`].
    pub files: Option<&'a str>,
    /// How many seconds the finished Job stays.
    pub kept: u32,
}

/// The Job: with the image, the configuration and the secrets of `workload`, an object of a release as it is
/// deployed. Its pods get no requests. None where the object has no pod template.
pub fn once(workload: &Value, task: &Once<'_>) -> Option<Value> {
    let metadata = workload.get("metadata")?;
    let name = metadata.get("name")?.as_str()?;
    let mut template = template(
        workload.pointer("/spec/template")?,
        name,
        task.name,
        task.command,
    )?;
    if let Some(secret) = task.files {
        let spec = template.get_mut("spec")?;
        push(
            spec,
            "volumes",
            json!({"name": VOLUME, "secret": {"secretName": secret}}),
        );
        let container = pod::main_mut(spec, task.name)?;
        let mount = json!({"name": VOLUME, "mountPath": FILES, "readOnly": true});
        push(container, "volumeMounts", mount);
    }
    Some(json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": task.name,
            "namespace": metadata.get("namespace")?,
            "labels": template.pointer("/metadata/labels").cloned().unwrap_or_default(),
        },
        "spec": {"backoffLimit": 0, "ttlSecondsAfterFinished": task.kept, "template": template},
    }))
}

fn push(value: &mut Value, key: &str, item: Value) {
    match value.get_mut(key).and_then(Value::as_array_mut) {
        Some(list) => list.push(item),
        None => value[key] = json!([item]),
    }
}

/// The pod template of a service as that of something that ends; `label` stands in place of the service's
/// name, with which requests would reach it.
pub(crate) fn template(
    template: &Value,
    workload: &str,
    label: &str,
    command: &[String],
) -> Option<Value> {
    let mut template = template.clone();
    let labels = template.pointer_mut("/metadata/labels");
    if let Some(name) = labels.and_then(|all| all.get_mut(NAME)) {
        *name = label.into();
    }
    let spec = template.get_mut("spec")?;
    spec["restartPolicy"] = "Never".into();
    let fields = spec.as_object_mut()?;
    fields.remove("topologySpreadConstraints");
    fields.remove("terminationGracePeriodSeconds");
    let container = pod::main_mut(spec, workload)?.clone();
    let mut container = pod::once(container, command);
    container["name"] = label.into();
    spec["containers"] = json!([container]);
    Some(template)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Once, once};
    use crate::testing::deployment;

    #[test]
    fn a_job_has_what_its_service_has() {
        let mut lms = deployment("lms", "openedx:1");
        lms["metadata"]["namespace"] = json!("uni");
        let spec = &mut lms["spec"]["template"]["spec"];
        spec["volumes"] = json!([{"name": "s", "configMap": {"name": "settings-1"}}]);
        spec["containers"][0]["readinessProbe"] = json!({});
        let command = ["./manage.py".to_owned(), "it's \"$(HOME)\"\nnow".to_owned()];
        let task = Once {
            name: "run-lms-1",
            command: &command,
            files: Some("run-lms-1"),
            kept: 60,
        };
        let job = once(&lms, &task).unwrap();
        insta::assert_snapshot!(serde_json::to_string_pretty(&job).unwrap(), @r#"
        {
          "apiVersion": "batch/v1",
          "kind": "Job",
          "metadata": {
            "labels": {
              "app.kubernetes.io/name": "run-lms-1"
            },
            "name": "run-lms-1",
            "namespace": "uni"
          },
          "spec": {
            "backoffLimit": 0,
            "template": {
              "metadata": {
                "labels": {
                  "app.kubernetes.io/name": "run-lms-1"
                }
              },
              "spec": {
                "containers": [
                  {
                    "command": [
                      "./manage.py",
                      "it's \"$$(HOME)\"\nnow"
                    ],
                    "image": "openedx:1",
                    "name": "run-lms-1",
                    "volumeMounts": [
                      {
                        "mountPath": "/grove/files",
                        "name": "grove-files",
                        "readOnly": true
                      }
                    ]
                  }
                ],
                "restartPolicy": "Never",
                "volumes": [
                  {
                    "configMap": {
                      "name": "settings-1"
                    },
                    "name": "s"
                  },
                  {
                    "name": "grove-files",
                    "secret": {
                      "secretName": "run-lms-1"
                    }
                  }
                ]
              }
            },
            "ttlSecondsAfterFinished": 60
          }
        }
        "#);
        assert_eq!(once(&json!({"metadata": {"name": "a"}}), &task), None);
    }
}
