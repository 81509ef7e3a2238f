//! The controller of Sealed Secrets.
//!
//! Its CRD is upstream's; the workload is ours, so that no Helm is needed before Argo CD is there. It
//! gets the fleet's own keys and makes none: a cluster that is lost is rebuilt from Git.

use serde_json::{Value, json};

/// Where the controller and its keys are.
pub const NAMESPACE: &str = "sealed-secrets";
const NAME: &str = "sealed-secrets-controller";

pub(super) fn namespace() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": {
            "pod-security.kubernetes.io/enforce": "restricted",
        }},
    })
}

/// The controller of `version`. It reads its keys when it starts, so the pod template names them: a
/// new key restarts it.
pub(super) fn controller(version: &str, keys: &[String]) -> Vec<Value> {
    let labels = json!({"app.kubernetes.io/name": "sealed-secrets"});
    let metadata = json!({"name": NAME, "namespace": NAMESPACE, "labels": labels});
    let subjects = json!([{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}]);
    let reference =
        |kind: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": NAME});
    let probe = json!({"httpGet": {"path": "/healthz", "port": "http"}});
    vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": NAME, "labels": labels},
            "rules": [
                {"apiGroups": ["bitnami.com"], "resources": ["sealedsecrets"], "verbs": ["get", "list", "watch"]},
                {"apiGroups": ["bitnami.com"], "resources": ["sealedsecrets/status"], "verbs": ["update"]},
                {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch", "create", "update", "delete"]},
                {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
                {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]},
            ],
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME, "labels": labels},
            "roleRef": reference("ClusterRole"), "subjects": subjects,
        }),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": metadata,
            "spec": {"selector": labels, "ports": [{"name": "http", "port": 8080, "targetPort": "http"}]},
        }),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                // Two at once would open everything twice.
                "strategy": {"type": "Recreate"},
                "template": {
                    "metadata": {
                        "labels": labels,
                        "annotations": {"grove-platform.org/sealing-keys": keys.join(",")},
                    },
                    "spec": {
                        "serviceAccountName": NAME,
                        "securityContext": {
                            "runAsNonRoot": true,
                            "runAsUser": 1001,
                            "fsGroup": 65534,
                            "seccompProfile": {"type": "RuntimeDefault"},
                        },
                        "containers": [{
                            "name": "controller",
                            "image": format!("docker.io/bitnami/sealed-secrets-controller:{version}"),
                            "args": ["--update-status", "--key-renew-period", "0"],
                            "ports": [{"name": "http", "containerPort": 8080}],
                            "livenessProbe": probe,
                            "readinessProbe": probe,
                            "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
                            "securityContext": {
                                "allowPrivilegeEscalation": false,
                                "readOnlyRootFilesystem": true,
                                "capabilities": {"drop": ["ALL"]},
                            },
                            "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
                        }],
                        "volumes": [{"name": "tmp", "emptyDir": {}}],
                    },
                },
            },
        }),
    ]
}
