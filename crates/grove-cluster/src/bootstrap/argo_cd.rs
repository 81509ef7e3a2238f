//! Argo CD's own manifests, with what its guides ask for in production.

use serde_json::{Map, Value, json};

/// Components that have nothing to do here: no `ApplicationSet` is ever written, nothing is notified,
/// and nobody logs in through Dex. An operator who wants one scales it up; that field is not ours.
const IDLE: [&str; 3] = [
    "argocd-applicationset-controller",
    "argocd-dex-server",
    "argocd-notifications-controller",
];

/// `argocd-cm`. The built-in health check of a `SealedSecret` takes the status of an older generation
/// for today's; the one of Application was taken out of Argo CD 1.8, and without it a wave of
/// Applications waits for nothing.
fn settings() -> Value {
    json!({
        "admin.enabled": "false",
        "users.anonymous.enabled": "false",
        "exec.enabled": "false",
        "application.resourceTrackingMethod": "annotation",
        "resource.exclusions": EXCLUSIONS,
        "resource.customizations.health.bitnami.com_SealedSecret": SEALED_SECRET_HEALTH,
        "resource.customizations.health.argoproj.io_Application": APPLICATION_HEALTH,
        "resource.customizations.health.batch_Job": JOB_HEALTH,
        "resource.customizations.health.autoscaling_HorizontalPodAutoscaler": AUTOSCALER_HEALTH,
        "resource.customizations.health.apiextensions.k8s.io_CustomResourceDefinition": DEFINITION_HEALTH,
    })
}

/// Kinds that change often, are never deployed, and would each be watched and kept in memory.
const EXCLUSIONS: &str = "\
- apiGroups: ['', events.k8s.io]
  kinds: [Event]
- apiGroups: ['', discovery.k8s.io]
  kinds: [Endpoints, EndpointSlice]
- apiGroups: [coordination.k8s.io]
  kinds: [Lease]
- apiGroups: [authentication.k8s.io, authorization.k8s.io]
  kinds: ['*']
- apiGroups: [certificates.k8s.io]
  kinds: [CertificateSigningRequest]
- apiGroups: [cert-manager.io]
  kinds: [CertificateRequest]
- apiGroups: [acme.cert-manager.io]
  kinds: [Order, Challenge]
- apiGroups: [metrics.k8s.io]
  kinds: ['*']
- apiGroups: [cilium.io]
  kinds: [CiliumIdentity, CiliumEndpoint, CiliumEndpointSlice]
- apiGroups: [kyverno.io, reports.kyverno.io, wgpolicyk8s.io]
  kinds: [PolicyReport, ClusterPolicyReport, EphemeralReport, ClusterEphemeralReport, AdmissionReport, ClusterAdmissionReport, BackgroundScanReport, ClusterBackgroundScanReport, UpdateRequest]
- apiGroups: [velero.io]
  kinds: [Backup, BackupRepository, DataDownload, DataUpload, DeleteBackupRequest, DownloadRequest, PodVolumeBackup, PodVolumeRestore, Restore, ServerStatusRequest]
";

const SEALED_SECRET_HEALTH: &str = "\
local health = { status = 'Progressing', message = 'not opened yet' }
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health
end
for _, condition in ipairs(obj.status.conditions or {}) do
  if condition.type == 'Synced' then
    if condition.status == 'True' then
      health.status = 'Healthy'
      health.message = ''
    else
      health.status = 'Degraded'
      health.message = condition.message or 'cannot be opened'
    end
  end
end
return health
";

/// As the built-in one, but for Jobs whose health is to be ignored: a rollback keeps the Jobs of the
/// release that it leaves, and a failed one among them would fail every sync. The annotation alone does
/// not help: it keeps a Job out of the Application's health, not out of the sync's (seen on 3.6.1).
const JOB_HEALTH: &str = "\
local annotations = obj.metadata.annotations or {}
if annotations['argocd.argoproj.io/ignore-healthcheck'] == 'true' then
  return { status = 'Healthy', message = 'its health does not count' }
end
local health = { status = 'Progressing', message = '' }
if obj.spec.suspend == true then
  health.status = 'Suspended'
end
if obj.status ~= nil then
  for _, condition in ipairs(obj.status.conditions or {}) do
    if condition.status == 'True' and condition.type == 'Failed' then
      return { status = 'Degraded', message = condition.message or '' }
    end
    if condition.status == 'True' and condition.type == 'Complete' then
      return { status = 'Healthy', message = condition.message or '' }
    end
  end
end
return health
";

/// The built-in one calls an autoscaler degraded as long as it has no metrics, which every new one is
/// for a while and which would fail the sync that brings it. Its workload runs meanwhile, at its size.
const AUTOSCALER_HEALTH: &str = "\
local refused = { FailedGetScale = true, FailedUpdateScale = true, InvalidSelector = true }
local message = ''
for _, condition in ipairs(obj.status ~= nil and obj.status.conditions or {}) do
  if condition.status == 'False' then
    if refused[condition.reason] then
      return { status = 'Degraded', message = condition.message or '' }
    end
    message = condition.message or message
  end
end
return { status = 'Healthy', message = message }
";

/// As the built-in one, but for a definition without conditions. Argo CD reads the API server's schemas
/// anew at each event of a definition, one after the other (seen on 3.6.1: about a second each on two
/// cores), so what it knows of twenty new ones lags by a minute, and a wave behind them would wait that
/// long. A sync waits by itself until each definition that it applied is established.
const DEFINITION_HEALTH: &str = "\
if obj.metadata.deletionTimestamp ~= nil then
  return { status = 'Progressing', message = 'it is being deleted' }
end
for _, condition in ipairs(obj.status ~= nil and obj.status.conditions or {}) do
  local refused = condition.type == 'NamesAccepted' and condition.status == 'False'
  local violated = condition.type == 'NonStructuralSchema' and condition.status == 'True'
  if refused or violated then
    return { status = 'Degraded', message = condition.message or '' }
  end
end
return { status = 'Healthy', message = '' }
";

const APPLICATION_HEALTH: &str = "\
local health = { status = 'Progressing', message = '' }
if obj.status ~= nil and obj.status.health ~= nil then
  health.status = obj.status.health.status or health.status
  health.message = obj.status.health.message or ''
end
return health
";

/// What Argo CD's components are told: compare as the API server would apply, and pause between waves
/// no longer than needed. The pause of two seconds is for kinds whose health does not know to which
/// generation it belongs; an instance has ten waves, and each would wait in vain at every sync.
fn parameters() -> Value {
    json!({
        "controller.diff.server.side": "true",
        "controller.sync.wave.delay.seconds": "0",
    })
}

/// Nobody may do anything who is not given a role. An instance's project can carry roles of its own.
fn rights() -> Value {
    json!({
        "policy.default": "",
        "policy.csv": "p, role:viewer, applications, get, */*, allow\n\
            p, role:viewer, projects, get, *, allow\n\
            p, role:viewer, logs, get, */*, allow\n",
        "scopes": "[groups]",
    })
}

/// The manifests in their namespace, hardened.
pub(super) fn objects(manifests: Vec<Value>, namespace: &str) -> Vec<Value> {
    let mut objects = vec![json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace},
    })];
    for object in manifests {
        let mut object = placed(object, namespace);
        let kind = text(&object, "/kind");
        let name = text(&object, "/metadata/name");
        match (kind.as_str(), name.as_str()) {
            ("ConfigMap", "argocd-cm") => merge(&mut object, settings()),
            ("ConfigMap", "argocd-cmd-params-cm") => merge(&mut object, parameters()),
            ("ConfigMap", "argocd-rbac-cm") => merge(&mut object, rights()),
            ("Deployment", name) if IDLE.contains(&name) => {
                if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
                    spec.insert("replicas".to_owned(), 0.into());
                }
            }
            _ => {}
        }
        objects.push(object);
    }
    objects
}

fn text(object: &Value, pointer: &str) -> String {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Adds keys to a `ConfigMap`'s data.
fn merge(object: &mut Value, data: Value) {
    let (Some(object), Value::Object(data)) = (object.as_object_mut(), data) else {
        return;
    };
    let present = object
        .entry("data")
        .or_insert_with(|| Map::new().into())
        .as_object_mut();
    if let Some(present) = present {
        present.extend(data);
    }
}

/// An object in `namespace`, subjects of bindings too: upstream's are written for `argocd`.
fn placed(mut object: Value, namespace: &str) -> Value {
    let kind = text(&object, "/kind");
    let is_cluster_wide = matches!(
        kind.as_str(),
        "ClusterRole" | "ClusterRoleBinding" | "CustomResourceDefinition" | "Namespace"
    );
    if !is_cluster_wide
        && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
    {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
    for subject in object
        .get_mut("subjects")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        if subject.get("kind").and_then(Value::as_str) == Some("ServiceAccount") && is_cluster_wide
        {
            subject.insert("namespace".to_owned(), namespace.into());
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_placed_and_hardened() {
        let manifests = vec![
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": {"kept": "x", "admin.enabled": "true"}}),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "argocd-dex-server"}, "spec": {}}),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "argocd-server"}, "spec": {}}),
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "a"},
                "subjects": [{"kind": "ServiceAccount", "name": "a", "namespace": "argocd"}]}),
        ];
        let objects = objects(manifests, "cd");
        assert_eq!(objects[1]["metadata"]["namespace"], "cd");
        assert_eq!(objects[1]["data"]["kept"], "x");
        assert_eq!(objects[1]["data"]["admin.enabled"], "false");
        assert_eq!(objects[2]["spec"]["replicas"], 0);
        assert!(objects[3]["spec"].get("replicas").is_none());
        assert_eq!(objects[4]["subjects"][0]["namespace"], "cd");
        assert!(objects[4]["metadata"].get("namespace").is_none());
    }
}
