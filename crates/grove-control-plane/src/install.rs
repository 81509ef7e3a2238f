//! What stands in a new control plane.

use std::path::Path;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use grove_cluster::Connection;
use k8s_openapi::api::core::v1::Node;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::{
    ControlPlane, Error, Install, Programs,
    plane::runtime,
    programs::{
        ARGO_CD_BEFORE_MODULE, ARGO_CD_MODULE, CERT_MANAGER_MODULE, KWOK_MODULE,
        SEALED_SECRETS_MODULE, VELERO_MODULE,
    },
};

const MARKERS: &str = include_str!("stages/markers.yaml");
const POD_LOG: &str = include_str!("stages/pod.log");

/// Folders of KWOK's module with the stages of nodes, pods and volumes.
const STAGES: [&str; 4] = [
    "kustomize/stage/node/fast",
    "kustomize/stage/node/heartbeat-with-lease",
    "kustomize/stage/pod/fast",
    "kustomize/stage/volume/fast",
];

/// How many objects are applied at once.
const AT_ONCE: usize = 8;

/// KWOK's configuration: its module's stages, ours for pods that fail, what pods log, and that commands run in them.
pub(crate) fn stages(programs: &Programs, directory: &Path) -> Result<String, Error> {
    let module = programs.directory(KWOK_MODULE)?;
    let mut text = String::new();
    for folder in STAGES {
        for path in yaml_files(&module.join(folder))? {
            let file = fs_err::read_to_string(&path)?;
            if file.contains("\nkind: Stage\n") {
                text.push_str("---\n");
                text.push_str(&file);
                text.push('\n');
            }
        }
    }
    let log = directory.join("pod.log");
    fs_err::write(&log, POD_LOG)?;
    let logs = json!({
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterLogs",
        "metadata": {"name": "logs"},
        "spec": {"logs": [{"logsFile": log, "follow": false}]},
    });
    // What is executed in a pod runs on this machine, as the user of the tests.
    let execution = json!({
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterExec",
        "metadata": {"name": "exec"},
        "spec": {"execs": [{"local": {"workDir": directory}}]},
    });
    Ok(format!(
        "{text}---\n{MARKERS}---\n{}---\n{}",
        grove_yaml::emit(&logs),
        grove_yaml::emit(&execution)
    ))
}

/// Puts into the API server what was asked for.
pub(crate) fn run(plane: &ControlPlane, what: Install) -> Result<(), Error> {
    let programs = plane.programs();
    let mut objects = base();
    if what != Install::Nothing {
        let crds = programs.directory(CERT_MANAGER_MODULE)?.join("deploy/crds");
        for path in yaml_files(&crds)? {
            objects.extend(read(&path)?);
        }
    }
    if what == Install::ArgoCd {
        let argo = programs
            .directory(ARGO_CD_MODULE)?
            .join("manifests/install.yaml");
        objects.push(namespace("argocd"));
        objects.extend(
            read(&argo)?
                .into_iter()
                .map(|object| placed(object, "argocd")),
        );
        let sealed = programs
            .directory(SEALED_SECRETS_MODULE)?
            .join("helm/sealed-secrets/crds");
        for path in yaml_files(&sealed)? {
            objects.extend(read(&path)?);
        }
        objects.extend(sealed_secrets());
    }
    runtime()?.block_on(async {
        let connection = plane.connect().await?;
        let is_first = |object: &&Value| {
            matches!(
                object.get("kind").and_then(Value::as_str),
                Some("Namespace" | "CustomResourceDefinition")
            )
        };
        apply(&connection, objects.iter().filter(is_first)).await?;
        apply(
            &connection,
            objects.iter().filter(|object| !is_first(object)),
        )
        .await?;
        untaint(&connection).await
    })
}

/// Takes away the taint that the API server gives a new node: the controller that would do it later
/// is off, since it would evict the pods of simulated nodes.
async fn untaint(connection: &Connection) -> Result<(), Error> {
    let nodes: Api<Node> = Api::all(connection.client().clone());
    let patch = Patch::Merge(json!({"spec": {"taints": null}}));
    connection
        .ask(
            "patch nodes/node-1",
            nodes.patch("node-1", &PatchParams::default(), &patch),
        )
        .await?;
    Ok(())
}

async fn apply<'a>(
    connection: &Connection,
    objects: impl Iterator<Item = &'a Value>,
) -> Result<(), Error> {
    stream::iter(objects)
        .map(|object| connection.apply(object, false))
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    Ok(())
}

/// What every cluster has: a node, a default storage class, an ingress class.
fn base() -> Vec<Value> {
    let size = json!({"cpu": "256", "memory": "1Ti", "pods": "2000"});
    vec![
        json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": "node-1", "labels": {"kubernetes.io/hostname": "node-1", "kubernetes.io/os": "linux"}},
            "status": {"capacity": size, "allocatable": size},
        }),
        json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {"name": "kwok-volume", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "provisioner": "kwok.x-k8s.io/volume",
        }),
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
            "metadata": {"name": "traefik"},
            "spec": {"controller": "traefik.io/ingress-controller"},
        }),
    ]
}

/// The controller of Sealed Secrets, in the least that the player knows it by.
fn sealed_secrets() -> Vec<Value> {
    let (name, namespace_name) = ("sealed-secrets-controller", "sealed-secrets");
    let labels = json!({"app.kubernetes.io/name": "sealed-secrets"});
    let account = json!([{"kind": "ServiceAccount", "name": name, "namespace": namespace_name}]);
    vec![
        namespace(namespace_name),
        json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": name, "namespace": namespace_name},
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": account,
        }),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace_name},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {
                    "serviceAccountName": name,
                    "containers": [{"name": "controller", "image": "sealed-secrets-controller"}],
                }},
            },
        }),
    ]
}

fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// A namespaced object in `namespace`, as `kubectl apply --namespace` would place it.
fn placed(mut object: Value, namespace: &str) -> Value {
    let kind = object.get("kind").and_then(Value::as_str);
    let is_cluster_wide = matches!(
        kind,
        Some("ClusterRole" | "ClusterRoleBinding" | "CustomResourceDefinition" | "Namespace")
    );
    if !is_cluster_wide
        && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
    {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
    object
}

fn read(path: &Path) -> Result<Vec<Value>, Error> {
    grove_yaml::parse_all(&fs_err::read(path)?).map_err(|error| Error::Invalid {
        what: path.display().to_string(),
        message: error.to_string(),
    })
}

fn yaml_files(directory: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    let mut paths = Vec::new();
    for entry in fs_err::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Puts the files of Grove's bundle that the pinned modules have into a directory, as
/// `grove bundle pull --from` reads it: what a network without the internet would carry in.
pub fn fill_bundle(programs: &Programs, directory: &Path) -> Result<(), Error> {
    let argo = programs.directory(ARGO_CD_MODULE)?;
    let before = programs.directory(ARGO_CD_BEFORE_MODULE)?;
    let sealed = programs.directory(SEALED_SECRETS_MODULE)?;
    let cert_manager = programs.directory(CERT_MANAGER_MODULE)?;
    let velero = programs.directory(VELERO_MODULE)?;
    let mut files = vec![
        (argo.join("manifests/install.yaml"), "argocd/3.6.1"),
        (before.join("manifests/install.yaml"), "argocd/3.5.7"),
    ];
    for (crds, to) in [
        (
            sealed.join("helm/sealed-secrets/crds"),
            "sealed-secrets/0.27.1",
        ),
        (cert_manager.join("deploy/crds"), "cert-manager/1.19.3"),
        (velero.join("config/crd/v1/bases"), "velero/1.13.0"),
        (velero.join("config/crd/v2alpha1/bases"), "velero/1.13.0"),
    ] {
        files.extend(yaml_files(&crds)?.into_iter().map(|path| (path, to)));
    }
    for (from, to) in files {
        let to = directory.join(to);
        fs_err::create_dir_all(&to)?;
        // Files of a Go module are read-only; a copy of the bytes is not.
        let bytes = fs_err::read(&from)?;
        fs_err::write(to.join(from.file_name().unwrap_or_default()), bytes)?;
    }
    Ok(())
}
