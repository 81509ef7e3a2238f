//! Argo CD's Applications: what one says, and making it act at once.
//!
//! What is read of an Application is narrow, and every field may be missing
//! (<https://github.com/argoproj/argo-cd/blob/v3.6.1/manifests/crds/application-crd.yaml>). Its text
//! comes from a cluster: it is shortened, and control characters are taken out.

mod follow;
mod freeze;
mod trouble;

use jiff::Timestamp;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    core::GroupVersionKind,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use follow::{Ended, Follow, Relation, Target};
pub use freeze::Frozen;
pub use trouble::{Trouble, troubles, unopened};

use crate::{Connection, Error};

/// The most characters that are kept of a text of a cluster.
const TEXT: usize = 600;

/// What Argo CD says of one Application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// The project that confines it.
    pub project: String,
    /// The namespace that it deploys to.
    pub namespace: String,
    /// The commit that it was last compared with.
    pub revision: Option<String>,
    /// The source of its specification that it was last compared with.
    #[serde(skip)]
    pub source: Option<Value>,
    /// `Synced`, `OutOfSync` or `Unknown`.
    pub sync: Option<String>,
    /// `Healthy`, `Progressing`, `Degraded`, `Suspended`, `Missing` or `Unknown`.
    pub health: Option<String>,
    /// What makes it less than healthy, in Argo CD's words.
    pub health_message: Option<String>,
    /// The last or present operation.
    pub operation: Option<Operation>,
    /// What is wrong with the Application itself, such as a repository that cannot be read.
    pub conditions: Vec<String>,
    /// Objects that are not as the commit has them, as `Kind/name`.
    pub out_of_sync: Vec<String>,
    /// Its freeze, in force or over.
    pub frozen: Option<Frozen>,
}

/// A sync, under way or ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// `Running`, `Terminating`, `Succeeded`, `Failed` or `Error`.
    pub phase: String,
    /// What it says of itself: what it waits for, or why it failed.
    pub message: String,
    /// The commit that it applies, where it is known.
    pub revision: Option<String>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// Objects that could not be applied, each with its message.
    pub failed: Vec<String>,
}

impl Operation {
    /// Whether it is under way.
    pub fn is_running(&self) -> bool {
        matches!(self.phase.as_str(), "Running" | "Terminating")
    }
}

impl Application {
    /// Reads an Application as the API server gives it; what is not of the known shape is left out.
    pub fn from_value(value: &Value) -> Self {
        let name = value.pointer("/metadata/name").and_then(Value::as_str);
        let part = |key: &str| value.get(key).cloned().unwrap_or_default();
        Self::new(
            name.unwrap_or_default(),
            |key| {
                let annotations = value.pointer("/metadata/annotations")?;
                annotations.get(key)?.as_str().map(str::to_owned)
            },
            serde_json::from_value(part("spec")).unwrap_or_default(),
            serde_json::from_value(part("status")).unwrap_or_default(),
        )
    }

    /// What is kept of an Application; `annotation` gives one by its key.
    pub fn new(
        name: &str,
        annotation: impl Fn(&str) -> Option<String>,
        spec: Spec,
        status: Status,
    ) -> Self {
        let text = |text: Option<String>| text.map(|text| clean(&text));
        let full = |text: Option<String>| text.filter(|text| !text.is_empty());
        let time = |text: Option<String>| text.and_then(|text| text.parse().ok());
        let state = status.operation_state.unwrap_or_default();
        let result = state.sync_result.unwrap_or_default();
        let asked = state.operation.and_then(|operation| operation.sync);
        let operation = state.phase.map(|phase| Operation {
            phase: clean(&phase),
            message: text(state.message).unwrap_or_default(),
            revision: text(full(result.revision).or_else(|| asked?.revision)),
            started: time(state.started_at),
            finished: time(state.finished_at),
            failed: result
                .resources
                .iter()
                .filter(|resource| resource.is("SyncFailed"))
                .map(|resource| {
                    let message = clean(resource.message.as_deref().unwrap_or_default());
                    format!("{}: {message}", resource.label())
                })
                .collect(),
        });
        let health = status.health.unwrap_or_default();
        let sync = status.sync.unwrap_or_default();
        let is_error = |kind: &String| kind.ends_with("Error");
        Self {
            name: clean(name),
            project: clean(&spec.project.unwrap_or_default()),
            namespace: text(spec.destination.and_then(|to| to.namespace)).unwrap_or_default(),
            revision: text(full(sync.revision)),
            source: sync.compared_to.and_then(|compared| compared.source),
            sync: text(sync.status),
            health: text(health.status),
            health_message: text(full(health.message)),
            operation,
            conditions: status
                .conditions
                .into_iter()
                .filter(|condition| condition.kind.as_ref().is_some_and(is_error))
                .filter_map(|condition| text(condition.message))
                .collect(),
            out_of_sync: status
                .resources
                .iter()
                .filter(|resource| resource.is("OutOfSync"))
                .map(Part::label)
                .collect(),
            frozen: Frozen::read(annotation),
        }
    }
}

/// What is read of an Application's `spec`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Spec {
    project: Option<String>,
    destination: Option<Destination>,
}

/// What is read of an Application's `status`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Status {
    sync: Option<Sync>,
    health: Option<Health>,
    operation_state: Option<OperationState>,
    conditions: Vec<Condition>,
    resources: Vec<Part>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Destination {
    namespace: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Sync {
    status: Option<String>,
    revision: Option<String>,
    compared_to: Option<Compared>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Compared {
    source: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Health {
    status: Option<String>,
    message: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct OperationState {
    phase: Option<String>,
    message: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
    operation: Option<Asked>,
    sync_result: Option<SyncResult>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    sync: Option<AskedSync>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct AskedSync {
    revision: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct SyncResult {
    revision: Option<String>,
    resources: Vec<Part>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Condition {
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<String>,
}

/// One object of an Application.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Part {
    kind: String,
    name: String,
    status: Option<String>,
    message: Option<String>,
}

impl Part {
    fn is(&self, status: &str) -> bool {
        self.status.as_deref() == Some(status)
    }

    fn label(&self) -> String {
        clean(&format!("{}/{}", self.kind, self.name))
    }
}

/// Text of a cluster as it can be shown: without control characters, and not without end.
pub fn clean(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(TEXT)
        .collect();
    if text.chars().nth(TEXT).is_some() {
        shown.push('…');
    }
    shown
}

impl Connection {
    fn applications(&self, namespace: &str) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Application");
        let resource = ApiResource::from_gvk_with_plural(&kind, "applications");
        Api::namespaced_with(self.client().clone(), namespace, &resource)
    }

    /// An Application; none where it is not there.
    pub async fn application(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Application>, Error> {
        let found = self
            .ask(
                &format!("get applications.argoproj.io/{name} in {namespace}"),
                self.applications(namespace).get_opt(name),
            )
            .await?;
        Ok(found
            .map(|found| Application::from_value(&serde_json::to_value(found).unwrap_or_default())))
    }

    /// Makes Argo CD look at the repository now, instead of at its next poll.
    pub async fn refresh(&self, namespace: &str, name: &str) -> Result<(), Error> {
        let patch = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
        let (parameters, patch) = (PatchParams::default(), Patch::Merge(&patch));
        self.ask(
            &format!("patch applications.argoproj.io/{name} in {namespace}"),
            self.applications(namespace)
                .patch(name, &parameters, &patch),
        )
        .await?;
        Ok(())
    }

    /// Ends the operation that runs, and says whether there was one. Argo CD leaves every new commit
    /// alone while an operation runs. An operation that ended meanwhile must not be touched: its
    /// phase would stay `Terminating` for ever; so the same patch tests that it runs.
    pub async fn end_operation(&self, namespace: &str, name: &str) -> Result<bool, Error> {
        let path = "/status/operationState/phase";
        let operations = json!([
            {"op": "test", "path": path, "value": "Running"},
            {"op": "replace", "path": path, "value": "Terminating"},
        ]);
        let patch = serde_json::from_value(operations).map_err(|error| Error::Other {
            cluster: self.cluster().to_owned(),
            doing: "end an operation".to_owned(),
            message: error.to_string(),
        })?;
        let (parameters, patch) = (PatchParams::default(), Patch::Json::<()>(patch));
        match self
            .ask(
                &format!("patch applications.argoproj.io/{name} in {namespace}"),
                self.applications(namespace)
                    .patch(name, &parameters, &patch),
            )
            .await
        {
            Ok(_) => Ok(true),
            Err(Error::Rejected { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Connection {
    /// Asks for a sync to `revision` by writing the Application's `operation`, as Argo CD's own API
    /// server does. Argo CD tries each commit once by itself: one whose sync failed or was ended it
    /// leaves alone.
    pub async fn sync(&self, namespace: &str, name: &str, revision: &str) -> Result<(), Error> {
        let doing = format!("patch applications.argoproj.io/{name} in {namespace}");
        let applications = self.applications(namespace);
        let found = self.ask(&doing, applications.get(name)).await?;
        let policy = |key: &str| {
            found
                .data
                .pointer(&format!("/spec/syncPolicy/{key}"))
                .cloned()
                .unwrap_or_default()
        };
        let patch = json!({"operation": {
            "initiatedBy": {"username": crate::FIELD_MANAGER},
            "retry": policy("retry"),
            "sync": {
                "revision": revision,
                "prune": policy("automated/prune"),
                "syncOptions": policy("syncOptions"),
            },
        }});
        let (parameters, patch) = (PatchParams::default(), Patch::Merge(&patch));
        self.ask(&doing, applications.patch(name, &parameters, &patch))
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_read_whatever_it_lacks() {
        let application = Application::from_value(&json!({
            "metadata": {"name": "prod-uni"},
            "spec": {"destination": {"namespace": "uni"}},
            "status": {
                "sync": {"status": "OutOfSync", "revision": "abc"},
                "health": {"status": "Degraded"},
                "conditions": [
                    {"type": "ComparisonError", "message": "no\u{1b}[31mway"},
                    {"type": "OrphanedResourceWarning", "message": "x"},
                ],
                "resources": [
                    {"kind": "Job", "name": "a", "status": "OutOfSync"},
                    {"kind": "Service", "name": "b", "status": "Synced"},
                ],
                "operationState": {
                    "phase": "Running", "message": "waiting", "startedAt": "2026-01-01T00:00:00Z",
                    "syncResult": {"revision": "abc", "resources": [
                        {"kind": "Job", "name": "a", "status": "SyncFailed", "message": "immutable"}]},
                },
            },
        }));
        assert_eq!(application.conditions, ["no [31mway"]);
        assert_eq!(application.out_of_sync, ["Job/a"]);
        let operation = application.operation.unwrap();
        assert!(operation.is_running());
        assert_eq!(operation.failed, ["Job/a: immutable"]);
        for value in [
            json!(null),
            json!({}),
            json!({"status": 1}),
            json!({"status": {"conditions": [1, {"type": 2}]}}),
        ] {
            assert_eq!(Application::from_value(&value), Application::default());
        }
    }

    #[test]
    fn text_of_a_cluster_has_an_end() {
        assert_eq!(clean(&"x".repeat(2000)).chars().count(), TEXT + 1);
        assert_eq!(clean("a\r\n\tb"), "a   b");
    }
}
