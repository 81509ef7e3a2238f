//! A freeze of an Application: a window of its project in which nothing is synced but by hand.
//!
//! The deploy branch brings it like everything else. Where Git cannot be reached, it is written to the
//! cluster: Argo CD leaves fields alone that the branch does not state, so the window stays until it ends
//! by itself.

use jiff::Timestamp;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    core::GroupVersionKind,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clean;
use crate::{Connection, Error};

/// The annotation of a frozen Application. `grove-release` makes its text.
const FROZEN: &str = "grove-platform.org/frozen";

/// What a frozen Application says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Frozen {
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: Timestamp,
    /// Who froze it.
    pub by: String,
}

impl Frozen {
    /// Reads the annotation, where there is one; text that is none of Grove's is none.
    pub(super) fn read(annotation: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let read: Self = serde_json::from_str(&annotation(FROZEN)?).ok()?;
        Some(Self {
            reason: clean(&read.reason),
            by: clean(&read.by),
            ..read
        })
    }
}

impl Connection {
    /// The windows of a project, `spec.syncWindows`; none where it has none or is not there.
    pub async fn windows(&self, namespace: &str, project: &str) -> Result<Option<Value>, Error> {
        let found = self
            .ask(
                &format!("get appprojects.argoproj.io/{project} in {namespace}"),
                self.projects(namespace).get_opt(project),
            )
            .await?;
        let windows = found.and_then(|found| found.data.pointer("/spec/syncWindows").cloned());
        Ok(windows.filter(|windows| windows.as_array().is_some_and(|all| !all.is_empty())))
    }

    /// Writes a freeze to the cluster itself: the windows of the project that has the Application's name,
    /// then the Application's annotations. A null takes one out.
    pub async fn write_freeze(
        &self,
        namespace: &str,
        application: &str,
        windows: &Value,
        annotations: &Value,
    ) -> Result<(), Error> {
        let parameters = PatchParams {
            field_manager: Some(crate::FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let project = json!({"spec": {"syncWindows": windows}});
        self.ask(
            &format!("patch appprojects.argoproj.io/{application} in {namespace}"),
            self.projects(namespace)
                .patch(application, &parameters, &Patch::Merge(&project)),
        )
        .await?;
        let said = json!({"metadata": {"annotations": annotations}});
        self.ask(
            &format!("patch applications.argoproj.io/{application} in {namespace}"),
            self.applications(namespace)
                .patch(application, &parameters, &Patch::Merge(&said)),
        )
        .await?;
        Ok(())
    }

    fn projects(&self, namespace: &str) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "AppProject");
        let resource = ApiResource::from_gvk_with_plural(&kind, "appprojects");
        Api::namespaced_with(self.client().clone(), namespace, &resource)
    }
}
