//! The two Applications from which Argo CD knows all others, and the project that confines them.

use grove_fleet::model::Cluster;
use serde_json::{Value, json};

use crate::{annotations, argo};

/// The name of the project of the roots.
const PROJECT: &str = "grove";

/// Group and kind of what the roots may apply: what makes an instance known to Argo CD, no more.
const KINDS: [(&str, &str); 2] = [
    ("argoproj.io", "Application"),
    ("argoproj.io", "AppProject"),
];

/// The shared project, and the root Applications: `grove-apps` applies `apps/`, one wave, so that a
/// sick instance blocks nothing; `grove-cluster` applies `cluster/`, in waves. Neither prunes, and
/// neither has a finalizer: a file that is gone deletes nothing.
///
/// `grove-cluster` is there only where the branch has a `cluster/`: Argo CD takes a missing directory
/// for an error.
pub fn roots(cluster: &Cluster, fleet: &str, deploy_remote: &str, has_shared: bool) -> Vec<Value> {
    let remote = deploy_remote.replace("{cluster}", &cluster.name);
    let namespace = &cluster.argocd_namespace;
    let destination = argo::destination(namespace);
    let kinds: Vec<Value> = KINDS
        .iter()
        .map(|(group, kind)| json!({"group": group, "kind": kind}))
        .collect();
    let project = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": PROJECT, "namespace": namespace},
        "spec": {
            "description": format!("What makes the instances of {} known, of the fleet {fleet}", cluster.name),
            "sourceRepos": [remote],
            "destinations": [destination],
            "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],
            "namespaceResourceWhitelist": kinds,
        },
    });
    let root = |name: &str, path: &str| {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "annotations": {annotations::GENERATE_PATHS: "."},
            },
            "spec": {
                "project": PROJECT,
                "source": {
                    "repoURL": remote,
                    "targetRevision": argo::revision(&cluster.name),
                    "path": path,
                },
                "destination": destination,
                "syncPolicy": {
                    "automated": {"prune": false, "selfHeal": true, "allowEmpty": false},
                    "syncOptions": ["ServerSideApply=true"],
                    "retry": argo::retry(),
                },
            },
        })
    };
    let mut objects = vec![project, root("grove-apps", "apps")];
    if has_shared {
        objects.push(root("grove-cluster", "cluster"));
    }
    objects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_never_delete() {
        let cluster = Cluster {
            name: "prod".to_owned(),
            argocd_namespace: "argocd".to_owned(),
            ..Cluster::default()
        };
        let objects = roots(&cluster, "acme", "https://git.example/{cluster}.git", true);
        let names: Vec<_> = objects
            .iter()
            .map(|object| object["metadata"]["name"].clone())
            .collect();
        assert_eq!(names, ["grove", "grove-apps", "grove-cluster"]);
        for root in &objects[1..] {
            assert_eq!(root["spec"]["syncPolicy"]["automated"]["prune"], false);
            assert!(root["metadata"].get("finalizers").is_none());
            assert_eq!(
                root["spec"]["source"]["repoURL"],
                "https://git.example/prod.git"
            );
            assert_eq!(
                root["spec"]["source"]["targetRevision"],
                "refs/heads/deploy/prod"
            );
        }
        assert_eq!(roots(&cluster, "acme", "x", false).len(), 2);
    }
}
