//! What a cluster's instances share: `cluster/` and `charts/` of its deploy tree.
//!
//! An Application each for the custom resource definitions that Harmony needs, for Harmony, and for
//! every add-on. The root Application applies them in waves, each when the one before is healthy:
//! definitions come before what uses them.

use std::{collections::BTreeMap, sync::Arc};

use grove_fleet::{
    addons::{CHART_FILE, Files},
    model::{Chart, Cluster, Harmony},
};
use serde_json::{Map, Value, json};

use crate::{annotations, argo};

/// The project of everything that instances share. It may do anything in the cluster, from the deploy
/// repository and Harmony's chart repository alone.
const PROJECT: &str = "grove-shared";

/// The part that is Harmony itself.
pub const HARMONY: &str = "harmony";

/// The name of Harmony's chart in a repository.
const HARMONY_CHART: &str = "harmony-chart";

/// Engines whose custom resource definitions Harmony's chart needs and does not bring.
const DEFINED: [&str; 2] = ["cert-manager", "velero"];

/// Secrets that Harmony's search engines make anew at every rendering: their templates generate
/// certificates and passwords and do not look for those that are there.
const REGENERATED: [(&str, [&str; 2]); 2] = [
    (
        "elasticsearch",
        [
            "elasticsearch-credentials",
            "search-cluster-certificates-elasticsearch",
        ],
    ),
    (
        "opensearch",
        [
            "opensearch-credentials",
            "search-cluster-certificates-opensearch",
        ],
    ),
];

/// What the shared part is made of.
#[derive(Clone, Copy, Debug)]
pub struct SharedInput<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The deploy remote as Argo CD reads it, a pattern.
    pub deploy_remote: &'a str,
    /// The custom resource definitions of each engine of [`definitions`], with their version.
    pub definitions: &'a BTreeMap<String, (String, Vec<Value>)>,
    /// The files of Harmony's chart, where it is vendored.
    pub harmony: &'a Files,
    /// The files of each add-on.
    pub addons: &'a BTreeMap<String, Files>,
}

/// The shared part of a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SharedTree {
    /// The objects in `cluster/`, by file name.
    pub cluster: BTreeMap<String, Value>,
    /// The files in `charts/`, by path below it.
    pub charts: BTreeMap<String, Vec<u8>>,
    /// Each part and its version; empty for plain manifests.
    pub parts: BTreeMap<String, String>,
    /// The parts that bring custom resource definitions, which an older version must not take away.
    pub forward_only: BTreeMap<String, String>,
}

/// The engines whose custom resource definitions a cluster needs before Harmony's chart, and the
/// version that it states.
pub fn definitions(cluster: &Cluster) -> BTreeMap<&'static str, Option<&str>> {
    let Some(harmony) = &cluster.harmony else {
        return BTreeMap::new();
    };
    let values = values(cluster, harmony);
    let is = |pointer: &str| values.pointer(pointer) == Some(&Value::Bool(true));
    DEFINED
        .into_iter()
        .filter(|engine| {
            is(&format!("/{engine}/enabled"))
                && !is(&format!("/{engine}/installCRDs"))
                && !is(&format!("/{engine}/crds/enabled"))
        })
        .map(|engine| (engine, harmony.crds.get(engine).map(String::as_str)))
        .collect()
}

/// Renders the shared part; empty where the cluster has neither Harmony nor add-ons.
pub fn shared(input: SharedInput<'_>) -> SharedTree {
    let mut tree = SharedTree::default();
    let cluster = input.cluster;
    let remote = input.deploy_remote.replace("{cluster}", &cluster.name);
    let mut sources = vec![remote.clone()];
    for (engine, (version, objects)) in input.definitions {
        let name = format!("{engine}-crds");
        for object in objects {
            let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
            let file = format!(
                "{name}/{}-{}.yaml",
                text("/kind").unwrap_or_default().to_lowercase(),
                text("/metadata/name").unwrap_or_default()
            );
            tree.charts
                .insert(file, grove_yaml::emit(object).into_bytes());
        }
        tree.forward_only.insert(name.clone(), version.clone());
        tree.parts.insert(name.clone(), version.clone());
        let source = in_tree(cluster, &remote, &name, None);
        let mut application = application(cluster, &name, 1, "kube-system", &source);
        // A definition that is gone takes every object of its kind with it.
        set(
            &mut application,
            "/spec/syncPolicy/automated/prune",
            false.into(),
        );
        add(&mut tree, application);
    }
    if let Some(harmony) = &cluster.harmony {
        let values = values(cluster, harmony);
        let source = match &harmony.chart {
            Chart::Vendored(_) => {
                vendor(&mut tree, HARMONY, input.harmony);
                in_tree(cluster, &remote, HARMONY, Some(&values))
            }
            Chart::Repository { url } => {
                sources.push(url.clone());
                json!({
                    "repoURL": url,
                    "chart": HARMONY_CHART,
                    "targetRevision": harmony.version,
                    "helm": {"releaseName": HARMONY, "valuesObject": values},
                })
            }
        };
        tree.parts
            .insert(HARMONY.to_owned(), harmony.version.clone());
        // Traefik's definitions are in the chart.
        tree.forward_only
            .insert(HARMONY.to_owned(), harmony.version.clone());
        let mut application = application(cluster, HARMONY, 2, &harmony.namespace, &source);
        let regenerated = regenerated(&values, &harmony.namespace);
        if !regenerated.is_empty() {
            set(
                &mut application,
                "/spec/ignoreDifferences",
                regenerated.into(),
            );
        }
        add(&mut tree, application);
    }
    for (name, files) in input.addons {
        let version = version(files);
        if files.keys().any(|path| path.starts_with("crds/")) {
            tree.forward_only.insert(name.clone(), version.clone());
        }
        tree.parts.insert(name.clone(), version);
        vendor(&mut tree, name, files);
        let values = files
            .contains_key(CHART_FILE)
            .then(|| cluster.addons.get(name))
            .flatten();
        let source = in_tree(cluster, &remote, name, values);
        add(&mut tree, application(cluster, name, 3, name, &source));
    }
    if !tree.parts.is_empty() {
        add(&mut tree, project(cluster, &sources));
    }
    tree
}

/// Harmony's values: what the provider needs, then what the operator says.
fn values(cluster: &Cluster, harmony: &Harmony) -> Value {
    let mut values = json!({
        "clusterDomain": cluster.domain.as_deref().unwrap_or("*"),
        // Retired in March 2026; Harmony 0.11 has it on, and Traefik off.
        "ingress-nginx": {"enabled": false},
        "traefik": {"enabled": true},
        "cert-manager": {"enabled": true},
    });
    let provider = match cluster.provider.as_str() {
        // A load balancer of the older kind does not keep the visitor's address.
        "aws" => json!({
            "metricsserver": {"enabled": true},
            "traefik": {"service": {"annotations": {
                "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
            }}},
        }),
        "digitalocean" => json!({"metricsserver": {"enabled": true}}),
        _ => json!({}),
    };
    merge(&mut values, &provider);
    merge(&mut values, &harmony.values);
    values
}

/// Maps merge by key, everything else replaces, as Helm does it with several files of values.
fn merge(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                merge(below.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (below, above) => below.clone_from(above),
    }
}

/// What of Harmony is to be left as it was first made.
fn regenerated(values: &Value, namespace: &str) -> Vec<Value> {
    REGENERATED
        .iter()
        .filter(|(engine, _)| {
            values.pointer(&format!("/{engine}/enabled")) == Some(&Value::Bool(true))
        })
        .flat_map(|(_, secrets)| secrets)
        .map(|name| {
            json!({
                "group": "", "kind": "Secret", "name": name, "namespace": namespace,
                "jsonPointers": ["/data"],
            })
        })
        .collect()
}

/// The version that a chart states; empty for plain manifests.
fn version(files: &Files) -> String {
    let chart = files
        .get(CHART_FILE)
        .and_then(|bytes| grove_yaml::parse(bytes, grove_yaml::Limits::default()).root);
    chart
        .as_ref()
        .and_then(|chart| chart.get("version")?.as_str())
        .unwrap_or_default()
        .to_owned()
}

/// Puts files under `charts/<name>/`.
fn vendor(tree: &mut SharedTree, name: &str, files: &Files) {
    let files = files
        .iter()
        .map(|(path, bytes): (&String, &Arc<[u8]>)| (format!("{name}/{path}"), bytes.to_vec()));
    tree.charts.extend(files);
}

/// A source in the deploy tree: a chart where there are values, plain manifests otherwise.
fn in_tree(cluster: &Cluster, remote: &str, name: &str, values: Option<&Value>) -> Value {
    let mut source = Map::from_iter([
        ("repoURL".to_owned(), remote.into()),
        (
            "targetRevision".to_owned(),
            argo::revision(&cluster.name).into(),
        ),
        ("path".to_owned(), format!("charts/{name}").into()),
    ]);
    let (key, how) = match values {
        Some(values) => ("helm", json!({"releaseName": name, "valuesObject": values})),
        None => ("directory", json!({"recurse": true})),
    };
    source.insert(key.to_owned(), how);
    source.into()
}

fn application(cluster: &Cluster, name: &str, wave: u8, namespace: &str, source: &Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {
            "name": format!("grove-{name}"),
            "namespace": cluster.argocd_namespace,
            "annotations": {
                annotations::SYNC_WAVE: wave.to_string(),
                annotations::GENERATE_PATHS: ".",
            },
        },
        "spec": {
            "project": PROJECT,
            "source": source,
            "destination": argo::destination(namespace),
            "syncPolicy": {
                "automated": {"prune": true, "selfHeal": true, "allowEmpty": false},
                "syncOptions": [
                    "CreateNamespace=true",
                    "PruneLast=true",
                    "RespectIgnoreDifferences=true",
                    "ServerSideApply=true",
                ],
                "retry": argo::retry(),
            },
        },
    })
}

fn project(cluster: &Cluster, sources: &[String]) -> Value {
    let any = json!([{"group": "*", "kind": "*"}]);
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {
            "name": PROJECT,
            "namespace": cluster.argocd_namespace,
            "annotations": {annotations::SYNC_WAVE: "0"},
        },
        "spec": {
            "description": format!("What the instances of {} share", cluster.name),
            "sourceRepos": sources,
            "destinations": [argo::destination("*")],
            "clusterResourceWhitelist": any,
            "namespaceResourceWhitelist": any,
        },
    })
}

/// Adds an object under its file's name.
fn add(tree: &mut SharedTree, object: Value) {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
    let kind = match text("/kind") {
        Some("AppProject") => "project",
        _ => "application",
    };
    let file = format!("{kind}-{}.yaml", text("/metadata/name").unwrap_or_default());
    tree.cluster.insert(file, object);
}

/// Sets a value; the map that holds it is there.
fn set(object: &mut Value, pointer: &str, value: Value) {
    if let Some((parent, key)) = pointer.rsplit_once('/')
        && let Some(parent) = object.pointer_mut(parent).and_then(Value::as_object_mut)
    {
        parent.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests;
