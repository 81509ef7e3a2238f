//! Argo CD's Applications: what one says, and making it act at once.
//!
//! What is read of an Application is narrow, and every field may be missing
//! (<https://github.com/argoproj/argo-cd/blob/v3.6.1/manifests/crds/application-crd.yaml>). Its text
//! comes from a cluster: it is shortened, and control characters are taken out.

mod follow;
mod trouble;

use jiff::Timestamp;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    core::GroupVersionKind,
};
use serde::Serialize;
use serde_json::{Value, json};

pub use follow::{Ended, Follow, Relation, Target};
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
    /// Reads an Application as the API server gives it.
    pub fn from_value(value: &Value) -> Self {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(clean);
        let list = |pointer: &str| {
            value
                .pointer(pointer)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        };
        let time = |pointer: &str| text(pointer).and_then(|text| text.parse().ok());
        let object = |value: &Value| {
            let part = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
            clean(&format!("{}/{}", part("kind"), part("name")))
        };
        let is = |value: &Value, key: &str, wanted: &str| {
            value.get(key).and_then(Value::as_str) == Some(wanted)
        };
        let operation = text("/status/operationState/phase").map(|phase| Operation {
            phase,
            message: text("/status/operationState/message").unwrap_or_default(),
            revision: text("/status/operationState/syncResult/revision")
                .filter(|revision| !revision.is_empty())
                .or_else(|| text("/status/operationState/operation/sync/revision")),
            started: time("/status/operationState/startedAt"),
            finished: time("/status/operationState/finishedAt"),
            failed: list("/status/operationState/syncResult/resources")
                .filter(|resource| is(resource, "status", "SyncFailed"))
                .map(|resource| {
                    let message = resource.get("message").and_then(Value::as_str);
                    format!(
                        "{}: {}",
                        object(resource),
                        clean(message.unwrap_or_default())
                    )
                })
                .collect(),
        });
        Self {
            name: text("/metadata/name").unwrap_or_default(),
            project: text("/spec/project").unwrap_or_default(),
            namespace: text("/spec/destination/namespace").unwrap_or_default(),
            revision: text("/status/sync/revision").filter(|revision| !revision.is_empty()),
            source: value.pointer("/status/sync/comparedTo/source").cloned(),
            sync: text("/status/sync/status"),
            health: text("/status/health/status"),
            health_message: text("/status/health/message").filter(|message| !message.is_empty()),
            operation,
            conditions: list("/status/conditions")
                .filter(|condition| {
                    condition
                        .get("type")
                        .and_then(Value::as_str)
                        .is_some_and(|kind| kind.ends_with("Error"))
                })
                .filter_map(|condition| condition.get("message").and_then(Value::as_str))
                .map(clean)
                .collect(),
            out_of_sync: list("/status/resources")
                .filter(|resource| is(resource, "status", "OutOfSync"))
                .map(object)
                .collect(),
        }
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
