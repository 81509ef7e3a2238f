//! Asking one cluster.

use std::collections::BTreeMap;

use grove_cluster::{
    Connection, Error,
    argo::{Application, clean},
};
use jiff::Timestamp;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, ListParams},
    core::GroupVersionKind,
};
use serde_json::Value;

/// How many objects one answer may have: each is made small before the next page is asked for.
const PAGE: u32 = 100;

/// What a cluster says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// Kubernetes' version.
    pub kubernetes: String,
    /// Argo CD's Applications, by name.
    pub applications: BTreeMap<String, Application>,
    /// Namespace → when the first of its certificates ends.
    pub certificates: BTreeMap<String, Timestamp>,
    /// What could not be read though the cluster answered, such as a kind that it does not know.
    pub unread: Vec<String>,
}

/// Asks a cluster for everything at once. Only what the user may read is needed: see
/// `docs/read-only-access.md`.
pub async fn observe(connection: &Connection, argocd: &str) -> Result<Observation, Error> {
    let version = async {
        connection
            .ask("get /version", connection.client().apiserver_version())
            .await
    };
    let (version, applications, certificates) = tokio::join!(
        version,
        list(
            connection,
            "argoproj.io",
            "v1alpha1",
            "Application",
            "applications",
            Some(argocd)
        ),
        list(
            connection,
            "cert-manager.io",
            "v1",
            "Certificate",
            "certificates",
            None
        ),
    );
    let mut observation = Observation {
        kubernetes: clean(&version?.git_version),
        ..Observation::default()
    };
    for value in kept(applications, &mut observation.unread)? {
        let application = Application::from_value(&value);
        observation
            .applications
            .insert(application.name.clone(), application);
    }
    for value in kept(certificates, &mut observation.unread)? {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let ends: Option<Timestamp> = text("/status/notAfter").and_then(|text| text.parse().ok());
        if let (Some(namespace), Some(ends)) = (text("/metadata/namespace"), ends) {
            observation
                .certificates
                .entry(namespace.to_owned())
                .and_modify(|first| *first = ends.min(*first))
                .or_insert(ends);
        }
    }
    Ok(observation)
}

/// A list, or nothing where the kind is unknown or not the user's to read; that is noted.
fn kept(list: Result<Vec<Value>, Error>, unread: &mut Vec<String>) -> Result<Vec<Value>, Error> {
    match list {
        Ok(list) => Ok(list),
        Err(error) if error.is_unreachable() => Err(error),
        Err(error) => {
            unread.push(error.to_string());
            Ok(Vec::new())
        }
    }
}

async fn list(
    connection: &Connection,
    group: &str,
    version: &str,
    kind: &str,
    plural: &str,
    namespace: Option<&str>,
) -> Result<Vec<Value>, Error> {
    let kind = GroupVersionKind::gvk(group, version, kind);
    let resource = ApiResource::from_gvk_with_plural(&kind, plural);
    let client = connection.client().clone();
    let api: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    let doing = format!("list {plural}.{group}");
    let mut values = Vec::new();
    let mut parameters = ListParams::default().limit(PAGE);
    loop {
        let page = connection.ask(&doing, api.list(&parameters)).await?;
        for object in page.items {
            values.push(small(serde_json::to_value(object).unwrap_or_default()));
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters = ListParams::default().limit(PAGE).continue_token(&token),
            None => return Ok(values),
        }
    }
}

/// An object without what nobody looks at: field managers, history, and what is as it should be.
fn small(mut value: Value) -> Value {
    let mut take = |pointer: &str, keys: &[&str]| {
        if let Some(map) = value.pointer_mut(pointer).and_then(Value::as_object_mut) {
            for key in keys {
                map.remove(*key);
            }
        }
    };
    take("/metadata", &["managedFields", "annotations", "labels"]);
    take("/status", &["history", "summary"]);
    if let Some(resources) = value
        .pointer_mut("/status/resources")
        .and_then(Value::as_array_mut)
    {
        resources.retain(|resource| resource["status"] != "Synced");
    }
    if let Some(resources) = value
        .pointer_mut("/status/operationState/syncResult/resources")
        .and_then(Value::as_array_mut)
    {
        resources.retain(|resource| resource["status"] == "SyncFailed");
    }
    value
}
