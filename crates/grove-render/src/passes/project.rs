//! Argo CD's Application for the instance, and the project that confines it.

use serde_json::{Value, json};

use super::{Draft, Pass};
use crate::{
    Error, annotations, names,
    object::{Object, Objects},
};

pub(super) const PASS: Pass = Pass {
    name: "project",
    summary: "The instance is an Application of Argo CD in a project of its own, which lets in \
              objects of the kinds below, in its namespace, from the deploy repository. What the \
              project would refuse is refused here, by name.",
    changes: &["Application", "AppProject"],
    apply,
};

/// The API server of the cluster in which Argo CD itself runs.
const SERVER: &str = "https://kubernetes.default.svc";

/// Group and kind of what an instance may have: what Tutor, its plugins and these passes make, and
/// what operators commonly add to it. Nothing that gives rights, and nothing of Argo CD's own.
const KINDS: &[(&str, &str)] = &[
    ("", "ConfigMap"),
    ("", "PersistentVolumeClaim"),
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
    ("external-secrets.io", "ExternalSecret"),
    ("keda.sh", "ScaledObject"),
    ("monitoring.coreos.com", "PodMonitor"),
    ("monitoring.coreos.com", "ServiceMonitor"),
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
    ("traefik.io", "Middleware"),
];

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    confine(&draft.objects)?;
    let remote = draft.deploy_remote;
    if remote.contains('*') || remote.starts_with('!') {
        return Err(Error::RemotePattern {
            remote: remote.to_owned(),
        });
    }
    let address = &draft.instance.address;
    let name = address.application();
    if !names::is_subdomain(&name) {
        return Err(Error::BadName {
            kind: "Application".to_owned(),
            name,
        });
    }
    let destination = json!({"server": SERVER, "namespace": draft.instance.identity.namespace});
    let kinds: Vec<Value> = KINDS
        .iter()
        .map(|(group, kind)| json!({"group": group, "kind": kind}))
        .collect();

    let project = json!({"spec": {
        "description": format!("Instance {address} of the fleet {}", draft.fleet),
        "sourceRepos": [remote],
        "destinations": [destination],
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": kinds,
    }});
    let application = json!({"spec": {
        "project": name,
        "source": {
            "repoURL": remote,
            "targetRevision": format!("refs/heads/deploy/{}", draft.cluster.name),
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

/// Refuses what the project would refuse, and what reaches further than a kind says.
fn confine(objects: &Objects) -> Result<(), Error> {
    for object in objects.iter() {
        if !KINDS.contains(&(object.group(), object.kind())) {
            return Err(Error::RefusedKind {
                object: object.id().to_string(),
                api: object.api().to_owned(),
            });
        }
        // An address that a Service claims is taken from the whole cluster.
        if object.value().pointer("/spec/externalIPs").is_some() && object.kind() == "Service" {
            return Err(Error::RefusedField {
                object: object.id().to_string(),
                field: "spec.externalIPs".to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::PASS;
    use crate::testing::{self, config_map};

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
                "kind": "PersistentVolumeClaim"
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
                "group": "external-secrets.io",
                "kind": "ExternalSecret"
              },
              {
                "group": "keda.sh",
                "kind": "ScaledObject"
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
