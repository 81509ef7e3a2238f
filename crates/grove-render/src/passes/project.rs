//! Argo CD's Application for the instance, and the project that confines it.

use std::collections::BTreeMap;

use grove_fleet::model::Role;
use serde_json::{Value, json};

use super::{certificates, draft::Draft, pass::Pass};
use crate::{
    Error, annotations, argo, names,
    object::{self, Object},
};

pub(super) const PASS: Pass = Pass {
    name: "project",
    summary: "The instance is an Application of Argo CD in a project of its own, which lets in \
              objects of the kinds below, in its namespace, from the deploy repository. What the \
              project would refuse is refused here, by name. Groups of `access` have a role in it.",
    changes: &["Application", "AppProject"],
    apply,
};

/// Group and kind of what an instance may have: what Tutor, its plugins and these passes make, and
/// what operators commonly add to it. Nothing that gives rights, nothing of Argo CD's own, and nothing
/// with which an operator of the cluster acts for the instance where its own rights end.
const KINDS: &[(&str, &str)] = &[
    ("", "ConfigMap"),
    ("", "LimitRange"),
    ("", "PersistentVolumeClaim"),
    ("", "ResourceQuota"),
    ("", "Secret"),
    ("", "Service"),
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("autoscaling.k8s.io", "VerticalPodAutoscaler"),
    ("batch", "CronJob"),
    ("batch", "Job"),
    ("bitnami.com", "SealedSecret"),
    ("cert-manager.io", "Certificate"),
    ("cert-manager.io", "Issuer"),
    ("monitoring.coreos.com", "PodMonitor"),
    ("monitoring.coreos.com", "ServiceMonitor"),
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
    ("traefik.io", "Middleware"),
];

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    for object in draft.objects.iter() {
        confine(draft, object)?;
    }
    let remote = draft.deploy_remote;
    if remote.contains('*') || remote.starts_with('!') {
        return Err(Error::new(
            format!("the deploy remote {remote:?} would be read as a pattern"),
            "use a remote without `*` and without `!` at its start",
        ));
    }
    let address = &draft.instance.address;
    let name = address.application();
    if !names::is_subdomain(&name) {
        return Err(object::bad_name("Application", &name));
    }
    let destination = argo::destination(&draft.instance.identity.namespace);
    let kinds: Vec<Value> = KINDS
        .iter()
        .map(|(group, kind)| json!({"group": group, "kind": kind}))
        .collect();

    let mut project = json!({"spec": {
        "description": format!("Instance {address} of the fleet {}", draft.fleet),
        "sourceRepos": [remote],
        "destinations": [destination],
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": kinds,
    }});
    let roles = roles(&name, &draft.instance.access);
    if !roles.is_empty() {
        project["spec"]["roles"] = roles.into();
    }
    let application = json!({"spec": {
        "project": name,
        "source": {
            "repoURL": remote,
            "targetRevision": argo::revision(&draft.cluster.name),
            "path": format!("instances/{}", address.instance),
        },
        "destination": destination,
        "syncPolicy": {
            // An empty directory is a mistake and never an order to delete everything.
            "automated": {"prune": true, "selfHeal": true, "allowEmpty": false},
            "syncOptions": ["PruneLast=true", "ServerSideApply=true"],
            "retry": {
                "limit": 5,
                "refresh": true,
                "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"},
            },
        },
    }});
    for (kind, body) in [("AppProject", project), ("Application", application)] {
        let Value::Object(body) = body else { continue };
        let mut object = Object::new("argoproj.io/v1alpha1", kind, &name, body);
        object.set_metadata("namespace", draft.cluster.argocd_namespace.clone().into());
        if kind == "Application" {
            // Only a commit to the instance's own directory makes Argo CD render it anew.
            object.set_annotation(annotations::GENERATE_PATHS, ".");
        }
        draft.apps.add(object)?;
    }
    Ok(())
}

/// What each role allows beyond the one before it: resource and action.
const RIGHTS: &[(Role, &[(&str, &str)])] = &[
    (Role::Viewer, &[("applications", "get"), ("logs", "get")]),
    (
        Role::Operator,
        &[
            ("applications", "get"),
            ("applications", "sync"),
            ("applications", "action/apps/Deployment/restart"),
            ("applications", "action/apps/StatefulSet/restart"),
            ("logs", "get"),
        ],
    ),
];

/// The roles of a project, of those that a group has. What they allow ends at the project
/// (<https://argo-cd.readthedocs.io/en/stable/user-guide/projects/#project-roles>).
fn roles(project: &str, access: &BTreeMap<String, Role>) -> Vec<Value> {
    let mut roles = Vec::new();
    for (role, rights) in RIGHTS {
        let groups: Vec<&String> = access
            .iter()
            .filter(|(_, given)| *given == role)
            .map(|(group, _)| group)
            .collect();
        if groups.is_empty() {
            continue;
        }
        let role = role.name();
        let policies: Vec<String> = rights
            .iter()
            .map(|(resource, action)| {
                format!("p, proj:{project}:{role}, {resource}, {action}, {project}/*, allow")
            })
            .collect();
        roles.push(json!({"name": role, "groups": groups, "policies": policies}));
    }
    roles
}

/// Refuses what the project would refuse, and what reaches further than a kind says.
fn confine(draft: &Draft<'_>, object: &Object) -> Result<(), Error> {
    if !KINDS.contains(&(object.group(), object.kind())) {
        return Err(Error::new(
            format!(
                "{object} ({api}) is of a kind that an instance may not have",
                object = object.id(),
                api = object.api()
            ),
            "what a cluster's instances share belongs to the cluster; a plugin of the instance cannot bring it",
        ));
    }
    match reach(draft, object) {
        Some(field) => Err(object::refused_field(&object.id().to_string(), &field)),
        None => Ok(()),
    }
}

/// The first field of `object` that reaches beyond the instance.
fn reach(draft: &Draft<'_>, object: &Object) -> Option<String> {
    let spec = object.value().get("spec")?;
    if object.kind() == "Service" {
        // An address that a Service claims is taken from the whole cluster.
        if spec.get("externalIPs").is_some() {
            return Some("spec.externalIPs".to_owned());
        }
        let target = spec.get("externalName").and_then(Value::as_str);
        if target.is_some_and(in_cluster) {
            return Some("spec.externalName".to_owned());
        }
    }
    if let Some(field) = other_namespace(spec, "spec", &draft.instance.identity.namespace) {
        return Some(field);
    }
    if certificates::is_ours(draft, object) {
        return None;
    }
    cluster_reference(spec, "spec")
}

/// Whether a name is that of a Service or a pod in the cluster.
fn in_cluster(target: &str) -> bool {
    let target = target.trim_end_matches('.').to_ascii_lowercase();
    ["svc", "cluster.local"].iter().any(|zone| {
        target
            .strip_suffix(zone)
            .is_some_and(|head| head.ends_with('.'))
    })
}

/// Maps with keys of somebody's choice: labels, and contents of a Secret. Selectors choose by
/// labels; those of a `NetworkPolicy` only narrow what pods of the instance reach.
const FREE: &[&str] = &[
    "annotations",
    "data",
    "encryptedData",
    "labels",
    "matchLabels",
    "namespaceSelector",
    "nodeSelector",
    "podSelector",
    "selector",
    "stringData",
];

/// The first `namespace` in `value` that is not `own`; `path` is where `value` stands.
fn other_namespace(value: &Value, path: &str, own: &str) -> Option<String> {
    find(value, path, &|key, text| key == "namespace" && text != own)
}

/// The first reference in `value` to what all instances of a cluster share.
fn cluster_reference(value: &Value, path: &str) -> Option<String> {
    find(value, path, &|key, text| {
        key == "kind" && matches!(text, "ClusterIssuer" | "ClusterSecretStore")
    })
}

/// The path of the first field with text that `wanted` picks by key and text.
fn find(value: &Value, path: &str, wanted: &impl Fn(&str, &str) -> bool) -> Option<String> {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| !FREE.contains(&key.as_str()))
            .find_map(|(key, value)| {
                let path = format!("{path}.{key}");
                match value {
                    Value::String(text) => wanted(key, text).then_some(path),
                    _ => find(value, &path, wanted),
                }
            }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| find(item, &format!("{path}[{index}]"), wanted)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{PASS, Role};
    use crate::testing::{self, config_map};

    #[test]
    fn groups_have_roles_that_end_at_the_project() {
        let access = [("night shift", Role::Operator), ("uni:staff", Role::Viewer)]
            .map(|(group, role)| (group.to_owned(), role));
        let roles = serde_json::to_string_pretty(&super::roles("prod-uni", &access.into()));
        insta::assert_snapshot!(roles.unwrap(), @r#"
        [
          {
            "groups": [
              "uni:staff"
            ],
            "name": "viewer",
            "policies": [
              "p, proj:prod-uni:viewer, applications, get, prod-uni/*, allow",
              "p, proj:prod-uni:viewer, logs, get, prod-uni/*, allow"
            ]
          },
          {
            "groups": [
              "night shift"
            ],
            "name": "operator",
            "policies": [
              "p, proj:prod-uni:operator, applications, get, prod-uni/*, allow",
              "p, proj:prod-uni:operator, applications, sync, prod-uni/*, allow",
              "p, proj:prod-uni:operator, applications, action/apps/Deployment/restart, prod-uni/*, allow",
              "p, proj:prod-uni:operator, applications, action/apps/StatefulSet/restart, prod-uni/*, allow",
              "p, proj:prod-uni:operator, logs, get, prod-uni/*, allow"
            ]
          }
        ]
        "#);
    }

    #[test]
    fn an_instance_is_an_application_in_its_own_project() {
        let draft = testing::pass(&PASS, &[], vec![config_map("a", "b", "c")]).unwrap();
        insta::assert_snapshot!(testing::json(&draft.apps), @r#"
        {
          "apiVersion": "argoproj.io/v1alpha1",
          "kind": "AppProject",
          "metadata": {
            "name": "prod-uni",
            "namespace": "argocd"
          },
          "spec": {
            "clusterResourceWhitelist": [],
            "description": "Instance prod/uni of the fleet acme",
            "destinations": [
              {
                "namespace": "uni",
                "server": "https://kubernetes.default.svc"
              }
            ],
            "namespaceResourceWhitelist": [
              {
                "group": "",
                "kind": "ConfigMap"
              },
              {
                "group": "",
                "kind": "LimitRange"
              },
              {
                "group": "",
                "kind": "PersistentVolumeClaim"
              },
              {
                "group": "",
                "kind": "ResourceQuota"
              },
              {
                "group": "",
                "kind": "Secret"
              },
              {
                "group": "",
                "kind": "Service"
              },
              {
                "group": "apps",
                "kind": "DaemonSet"
              },
              {
                "group": "apps",
                "kind": "Deployment"
              },
              {
                "group": "apps",
                "kind": "StatefulSet"
              },
              {
                "group": "autoscaling",
                "kind": "HorizontalPodAutoscaler"
              },
              {
                "group": "autoscaling.k8s.io",
                "kind": "VerticalPodAutoscaler"
              },
              {
                "group": "batch",
                "kind": "CronJob"
              },
              {
                "group": "batch",
                "kind": "Job"
              },
              {
                "group": "bitnami.com",
                "kind": "SealedSecret"
              },
              {
                "group": "cert-manager.io",
                "kind": "Certificate"
              },
              {
                "group": "cert-manager.io",
                "kind": "Issuer"
              },
              {
                "group": "monitoring.coreos.com",
                "kind": "PodMonitor"
              },
              {
                "group": "monitoring.coreos.com",
                "kind": "ServiceMonitor"
              },
              {
                "group": "networking.k8s.io",
                "kind": "Ingress"
              },
              {
                "group": "networking.k8s.io",
                "kind": "NetworkPolicy"
              },
              {
                "group": "policy",
                "kind": "PodDisruptionBudget"
              },
              {
                "group": "traefik.io",
                "kind": "Middleware"
              }
            ],
            "sourceRepos": [
              "https://git.example/acme/deploy-prod.git"
            ]
          }
        }
        {
          "apiVersion": "argoproj.io/v1alpha1",
          "kind": "Application",
          "metadata": {
            "annotations": {
              "argocd.argoproj.io/manifest-generate-paths": "."
            },
            "name": "prod-uni",
            "namespace": "argocd"
          },
          "spec": {
            "destination": {
              "namespace": "uni",
              "server": "https://kubernetes.default.svc"
            },
            "project": "prod-uni",
            "source": {
              "path": "instances/uni",
              "repoURL": "https://git.example/acme/deploy-prod.git",
              "targetRevision": "refs/heads/deploy/prod"
            },
            "syncPolicy": {
              "automated": {
                "allowEmpty": false,
                "prune": true,
                "selfHeal": true
              },
              "retry": {
                "backoff": {
                  "duration": "10s",
                  "factor": 2,
                  "maxDuration": "5m"
                },
                "limit": 5,
                "refresh": true
              },
              "syncOptions": [
                "PruneLast=true",
                "ServerSideApply=true"
              ]
            }
          }
        }
        "#);
    }

    fn refusal(api: &str, kind: &str) -> String {
        let mut object = config_map("x", "a", "b");
        object["apiVersion"] = json!(api);
        object["kind"] = json!(kind);
        testing::pass(&PASS, &[], vec![object])
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn what_gives_rights_is_refused() {
        insta::assert_snapshot!(refusal("rbac.authorization.k8s.io/v1", "RoleBinding"), @"RoleBinding/x (rbac.authorization.k8s.io/v1) is of a kind that an instance may not have");
        for (api, kind) in [
            ("rbac.authorization.k8s.io/v1", "Role"),
            ("rbac.authorization.k8s.io/v1", "ClusterRole"),
            ("v1", "ServiceAccount"),
            ("v1", "Namespace"),
            ("argoproj.io/v1alpha1", "Application"),
            ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
            ("cert-manager.io/v1", "ClusterIssuer"),
            ("other.example/v1", "Deployment"),
            ("external-secrets.io/v1", "ExternalSecret"),
            ("keda.sh/v1alpha1", "ScaledObject"),
        ] {
            refusal(api, kind);
        }
    }

    #[test]
    fn addresses_of_the_cluster_are_refused() {
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"},
            "spec": {"externalIPs": ["10.0.0.1"]}});
        insta::assert_snapshot!(testing::pass(&PASS, &[], vec![service]).unwrap_err(), @"Service/x sets spec.externalIPs, which reaches beyond the instance");
    }

    fn confined(api: &str, kind: &str, spec: &serde_json::Value) -> Result<(), String> {
        let object =
            json!({"apiVersion": api, "kind": kind, "metadata": {"name": "x"}, "spec": spec});
        testing::pass(&PASS, &[], vec![object])
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn names_of_services_in_the_cluster_are_refused() {
        let target = |name: &str| {
            confined(
                "v1",
                "Service",
                &json!({"type": "ExternalName", "externalName": name}),
            )
        };
        insta::assert_snapshot!(target("lms.rival.svc.cluster.local").unwrap_err(), @"Service/x sets spec.externalName, which reaches beyond the instance");
        for name in [
            "lms.rival.svc",
            "LMS.rival.SVC.cluster.local.",
            "1-2-3-4.rival.pod.cluster.local",
        ] {
            target(name).unwrap_err();
        }
        target("mysql.example").unwrap();
    }

    #[test]
    fn references_to_other_namespaces_are_refused() {
        let middleware = |namespace: &str| {
            let spec = json!({"chain": {"middlewares": [{"name": "a", "namespace": namespace}]}});
            confined("traefik.io/v1alpha1", "Middleware", &spec)
        };
        insta::assert_snapshot!(middleware("rival").unwrap_err(), @"Middleware/x sets spec.chain.middlewares[0].namespace, which reaches beyond the instance");
        middleware("uni").unwrap();
        let claim = json!({"dataSourceRef": {"kind": "PersistentVolumeClaim", "name": "a", "namespace": "rival"}});
        insta::assert_snapshot!(confined("v1", "PersistentVolumeClaim", &claim).unwrap_err(), @"PersistentVolumeClaim/x sets spec.dataSourceRef.namespace, which reaches beyond the instance");
    }

    #[test]
    fn a_label_may_be_called_namespace() {
        let labels = json!({"namespace": "rival"});
        let spec = json!({
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels, "annotations": labels}, "spec": {"nodeSelector": labels}},
        });
        confined("apps/v1", "Deployment", &spec).unwrap();
        confined("v1", "Service", &json!({"selector": labels})).unwrap();
        let peers = json!([{"from": [{"namespaceSelector": {"matchLabels": labels}}]}]);
        let spec = json!({"podSelector": {"matchLabels": labels}, "ingress": peers});
        confined("networking.k8s.io/v1", "NetworkPolicy", &spec).unwrap();
    }

    #[test]
    fn what_a_cluster_shares_is_for_our_own_certificates() {
        let certificate = |name: &str, secret: &str, kind: &str, issuer: &str| {
            let object = json!({
                "apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": name},
                "spec": {"secretName": secret, "issuerRef": {"kind": kind, "name": issuer}},
            });
            testing::pass(&PASS, &[], vec![object])
        };
        let issuer = "harmony-letsencrypt-global";
        certificate("hosts", "hosts-tls", "ClusterIssuer", issuer).unwrap();
        certificate("x", "x-tls", "Issuer", "own").unwrap();
        insta::assert_snapshot!(certificate("x", "x-tls", "ClusterIssuer", issuer).unwrap_err(), @"Certificate/x sets spec.issuerRef.kind, which reaches beyond the instance");
        certificate("hosts", "hosts-tls", "ClusterIssuer", "other").unwrap_err();
        let store = json!({"x": [{"secretStoreRef": {"kind": "ClusterSecretStore", "name": "a"}}]});
        insta::assert_snapshot!(confined("traefik.io/v1alpha1", "Middleware", &store).unwrap_err(), @"Middleware/x sets spec.x[0].secretStoreRef.kind, which reaches beyond the instance");
    }

    #[test]
    fn an_application_has_a_valid_name() {
        let mut world = testing::World::default();
        world.instance.address.instance = "../x".to_owned();
        let mut draft = world.draft(&[], vec![]).unwrap();
        insta::assert_snapshot!((PASS.apply)(&mut draft).unwrap_err(), @r#"Application has the name "prod-../x", which is not a valid Kubernetes name"#);
    }

    #[test]
    fn a_remote_that_is_a_pattern_is_refused() {
        let world = testing::World {
            deploy_remote: "https://git.example/*",
            ..testing::World::default()
        };
        let mut draft = world.draft(&[], vec![]).unwrap();
        insta::assert_snapshot!((PASS.apply)(&mut draft).unwrap_err(), @r#"the deploy remote "https://git.example/*" would be read as a pattern"#);
    }
}
