//! What the simulation renders instead of Tutor: a few objects of each sort that a deploy treats in a way of
//! its own.

use grove_fleet::{Fleet, model::Instance};
use grove_operations::{Renderer, Result};
use grove_render::{Tree, annotations};
use serde_json::{Value, json};

/// The init task that every instance has.
pub(crate) const TASK: &str = "lms-migrate";
/// The file of the `ConfigMap` that has [`Site::value`](crate::fleet::Site::value).
pub(crate) const SETTINGS: &str = "configmap-settings.yaml";
/// The file of the service.
pub(crate) const SERVICE: &str = "deployment-lms.yaml";
/// The file of the volume.
pub(crate) const VOLUME: &str = "persistentvolumeclaim-media.yaml";
/// The file of the further host.
pub(crate) const HOST: &str = "ingress-more.yaml";

pub(crate) struct Plain;

impl Renderer for Plain {
    fn render(&self, _: &Fleet, instance: &Instance) -> Result<Tree> {
        let said = |name: &str| instance.config.get(name).cloned().unwrap_or_default();
        let name = &instance.address.instance;
        let mut tree = Tree::default();
        tree.marks
            .insert("openedx".to_owned(), said("SIMULATED_MARK").to_string());
        let mut add = |file: &str, mut object: Value| {
            object["metadata"]["namespace"] = instance.identity.namespace.clone().into();
            tree.objects.insert(file.to_owned(), object);
        };
        add(
            SETTINGS,
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"},
                "data": {"value": said("SIMULATED_VALUE").to_string()},
            }),
        );
        let replicas = usize::from(instance.state == grove_fleet::model::State::Active);
        let container = json!({"name": "lms", "image": "example.org/openedx:1"});
        add(
            SERVICE,
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "lms"},
                "spec": {"replicas": replicas, "template": {"spec": {"containers": [container]}}},
            }),
        );
        let task = format!("echo {}", said("SIMULATED_TASK"));
        let container = json!({
            "name": "lms", "image": "example.org/openedx:1", "command": ["sh", "-c", task],
        });
        add(
            &format!("job-{TASK}.yaml"),
            json!({
                "apiVersion": "batch/v1", "kind": "Job",
                "metadata": {"name": TASK, "annotations": {annotations::NAME: TASK}},
                "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
            }),
        );
        if said("SIMULATED_VOLUME") == true {
            add(
                VOLUME,
                json!({
                    "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "media"},
                    "spec": {"accessModes": ["ReadWriteOnce"]},
                }),
            );
        }
        if said("SIMULATED_HOST") == true {
            add(
                HOST,
                json!({
                    "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "more"},
                    "spec": {"rules": [{"host": format!("more.{name}.acme.example")}]},
                }),
            );
        }
        let application = instance.address.application();
        for (kind, spec) in [
            ("AppProject", json!({"sourceRepos": ["memory"]})),
            ("Application", json!({"project": application})),
        ] {
            let file = match kind {
                "AppProject" => format!("{name}-project.yaml"),
                _ => format!("{name}-application.yaml"),
            };
            let object = json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": kind,
                "metadata": {"name": application, "annotations": {"kept": "yes"}},
                "spec": spec,
            });
            tree.apps.insert(file, object);
        }
        Ok(tree)
    }
}
