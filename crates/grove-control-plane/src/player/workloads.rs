//! The real programs of the workloads that run in a cluster.

use std::{
    collections::BTreeMap,
    os::unix::fs::{PermissionsExt as _, symlink},
    process::Command,
    time::{Duration, Instant},
};

use grove_cluster::Connection;
use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::{ConfigMap, Secret, ServiceAccount},
};
use kube::{
    Api,
    api::{DynamicObject, ListParams, PostParams},
};
use serde_json::Value;

use crate::{ControlPlane, Error, programs};

/// How long a program that ended is left alone.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a service account's token holds, in seconds.
const TOKEN: i64 = 30 * 24 * 60 * 60;

/// A workload whose program is run.
struct Known {
    /// Its name, and that of its program and its service account.
    name: &'static str,
    kind: &'static str,
    command: fn(&ControlPlane, &Setting) -> Result<Command, Error>,
}

const KNOWN: [Known; 4] = [
    Known {
        name: "argocd-repo-server",
        kind: "Deployment",
        command: repo_server,
    },
    Known {
        name: "argocd-application-controller",
        kind: "StatefulSet",
        command: application_controller,
    },
    Known {
        name: "argocd-server",
        kind: "Deployment",
        command: server,
    },
    Known {
        name: "sealed-secrets-controller",
        kind: "Deployment",
        command: sealed_secrets,
    },
];

/// What a program finds around it.
struct Setting {
    namespace: String,
    directory: std::path::PathBuf,
    variables: BTreeMap<String, String>,
}

/// What runs, and since when it may be started again.
#[derive(Default)]
pub(super) struct Workloads {
    generations: BTreeMap<&'static str, Option<i64>>,
    not_before: BTreeMap<&'static str, Instant>,
}

impl Workloads {
    pub(super) async fn round(
        &mut self,
        plane: &ControlPlane,
        connection: &Connection,
    ) -> Result<(), Error> {
        for known in &KNOWN {
            let (resource, _) = connection.resource("apps/v1", known.kind).await?;
            let all: Api<DynamicObject> = Api::all_with(connection.client().clone(), &resource);
            let parameters = ListParams::default().fields(&format!("metadata.name={}", known.name));
            let found = connection
                .ask(&format!("list {}", known.kind), all.list(&parameters))
                .await?
                .items
                .into_iter()
                .find(|object| {
                    object
                        .data
                        .pointer("/spec/replicas")
                        .and_then(Value::as_i64)
                        != Some(0)
                });
            let running = plane.processes().running(known.name).is_some();
            let Some(workload) = found else {
                if running {
                    plane.processes().stop(known.name);
                }
                self.generations.remove(known.name);
                continue;
            };
            let generation = workload.metadata.generation;
            if running && self.generations.get(known.name) == Some(&generation) {
                continue;
            }
            if running {
                // Its pod template is another: pods would be replaced.
                plane.processes().stop(known.name);
            }
            let now = Instant::now();
            if self
                .not_before
                .get(known.name)
                .is_some_and(|time| now < *time)
            {
                continue;
            }
            self.not_before.insert(known.name, now + PAUSE);
            if let Some(setting) = setting(plane, connection, known, &workload).await? {
                let mut command = (known.command)(plane, &setting)?;
                plane.processes().start(known.name, &mut command)?;
                self.generations.insert(known.name, generation);
            }
        }
        Ok(())
    }
}

/// Everything that the workload's pod would find; none while its service account is not there.
async fn setting(
    plane: &ControlPlane,
    connection: &Connection,
    known: &Known,
    workload: &DynamicObject,
) -> Result<Option<Setting>, Error> {
    let namespace = workload.metadata.namespace.clone().unwrap_or_default();
    let account = workload
        .data
        .pointer("/spec/template/spec/serviceAccountName")
        .and_then(Value::as_str)
        .unwrap_or("default");
    let accounts: Api<ServiceAccount> = Api::namespaced(connection.client().clone(), &namespace);
    let request = TokenRequest {
        spec: TokenRequestSpec {
            audiences: Vec::new(),
            expiration_seconds: Some(TOKEN),
            bound_object_ref: None,
        },
        ..TokenRequest::default()
    };
    let doing = format!("create a token of serviceaccounts/{account} in {namespace}");
    let token = match connection
        .ask(
            &doing,
            accounts.create_token_request(account, &PostParams::default(), &request),
        )
        .await
    {
        Ok(answer) => answer.status.map(|status| status.token).unwrap_or_default(),
        Err(error) if error.is_absent() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let variables = variables(connection, &namespace, workload).await?;
    let directory = plane.directory().join("workloads").join(known.name);
    let kube = directory.join("home/.kube");
    fs_err::create_dir_all(&kube)?;
    fs_err::write(kube.join("config"), plane.kubeconfig_text(&token)?)?;
    let account = directory.join("serviceaccount");
    fs_err::create_dir_all(&account)?;
    fs_err::write(account.join("token"), token)?;
    fs_err::write(account.join("namespace"), &namespace)?;
    fs_err::copy(
        plane.directory().join("certificates/apiserver.crt"),
        account.join("ca.crt"),
    )?;
    Ok(Some(Setting {
        namespace,
        directory,
        variables,
    }))
}

/// The variables of the first container, as the kubelet would resolve them.
async fn variables(
    connection: &Connection,
    namespace: &str,
    workload: &DynamicObject,
) -> Result<BTreeMap<String, String>, Error> {
    let mut variables = BTreeMap::new();
    let list = workload
        .data
        .pointer("/spec/template/spec/containers/0/env")
        .and_then(Value::as_array);
    let maps: Api<ConfigMap> = Api::namespaced(connection.client().clone(), namespace);
    let secrets: Api<Secret> = Api::namespaced(connection.client().clone(), namespace);
    let mut known_maps = BTreeMap::new();
    for variable in list.into_iter().flatten() {
        let text = |pointer: &str| variable.pointer(pointer).and_then(Value::as_str);
        let Some(name) = text("/name") else { continue };
        let value = if let Some(value) = text("/value") {
            Some(value.to_owned())
        } else if let Some(map) = text("/valueFrom/configMapKeyRef/name") {
            if !known_maps.contains_key(map) {
                let found = connection
                    .ask(&format!("get configmaps/{map}"), maps.get_opt(map))
                    .await?;
                known_maps.insert(map.to_owned(), found.and_then(|map| map.data));
            }
            let key = text("/valueFrom/configMapKeyRef/key").unwrap_or_default();
            known_maps
                .get(map)
                .and_then(Option::as_ref)
                .and_then(|data| data.get(key).cloned())
        } else if let Some(secret) = text("/valueFrom/secretKeyRef/name") {
            let key = text("/valueFrom/secretKeyRef/key").unwrap_or_default();
            connection
                .ask(&format!("get secrets/{secret}"), secrets.get_opt(secret))
                .await?
                .and_then(|secret| secret.data)
                .and_then(|data| data.get(key).cloned())
                .and_then(|bytes| String::from_utf8(bytes.0).ok())
        } else {
            None
        };
        if let Some(value) = value {
            variables.insert(name.to_owned(), value);
        }
    }
    Ok(variables)
}

/// A component of Argo CD: the program chooses by its own name.
fn argo(plane: &ControlPlane, setting: &Setting, name: &str) -> Result<Command, Error> {
    let programs = plane.programs();
    let bin = setting.directory.join("bin");
    fs_err::create_dir_all(&bin)?;
    let link = |target: &std::path::Path, name: &str| -> Result<(), Error> {
        let path = bin.join(name);
        if fs_err::symlink_metadata(&path).is_ok() {
            fs_err::remove_file(&path)?;
        }
        Ok(symlink(target, path)?)
    };
    link(&programs.get(programs::ARGO_CD)?, name)?;
    link(&programs.get(programs::HELM)?, "helm")?;
    let hack = programs.directory(programs::ARGO_CD_MODULE)?.join("hack");
    for script in ["git-verify-wrapper.sh", "gpg-wrapper.sh"] {
        // Files of a Go module are not executable.
        let path = bin.join(script);
        fs_err::write(&path, fs_err::read(hack.join(script))?)?;
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    }
    let temporary = setting.directory.join("tmp");
    fs_err::create_dir_all(&temporary)?;
    let mut path = std::ffi::OsString::from(&bin);
    path.push(":");
    path.push(plain_path());
    let mut command = programs::command(bin.join(name));
    command
        .env_clear()
        .envs(&setting.variables)
        // Redis has no password here, and its address is another one.
        .env_remove("REDIS_PASSWORD")
        .env("PATH", path)
        .env("HOME", setting.directory.join("home"))
        .env("TMPDIR", temporary)
        .env("ARGOCD_GPG_ENABLED", "false")
        .env("ARGOCD_FAKE_IN_CLUSTER", "true")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*");
    Ok(command)
}

fn redis(plane: &ControlPlane) -> [String; 2] {
    [
        "--redis".to_owned(),
        format!("127.0.0.1:{}", plane.ports().redis),
    ]
}

fn repo_server(plane: &ControlPlane, setting: &Setting) -> Result<Command, Error> {
    let ports = plane.ports();
    let mut command = argo(plane, setting, "argocd-repo-server")?;
    command
        .args(["--address", "127.0.0.1", "--metrics-address", "127.0.0.1"])
        .args(["--port", &ports.repo_server.to_string()])
        .args(["--metrics-port", &ports.repo_server_metrics.to_string()])
        .args(["--disable-tls", "--client-ca-path", ""])
        .args(redis(plane));
    Ok(command)
}

fn application_controller(plane: &ControlPlane, setting: &Setting) -> Result<Command, Error> {
    let ports = plane.ports();
    let mut command = argo(plane, setting, "argocd-application-controller")?;
    command
        .args(["--namespace", &setting.namespace])
        .arg("--kubeconfig")
        .arg(setting.directory.join("home/.kube/config"))
        .args(["--repo-server", &format!("127.0.0.1:{}", ports.repo_server)])
        .arg("--repo-server-plaintext")
        .args(["--metrics-port", &ports.controller_metrics.to_string()])
        .args(redis(plane));
    Ok(command)
}

fn server(plane: &ControlPlane, setting: &Setting) -> Result<Command, Error> {
    let ports = plane.ports();
    let mut command = argo(plane, setting, "argocd-server")?;
    command
        .args(["--namespace", &setting.namespace])
        .arg("--kubeconfig")
        .arg(setting.directory.join("home/.kube/config"))
        .args(["--insecure", "--address", "127.0.0.1"])
        .args(["--port", &ports.argocd_server.to_string()])
        .args(["--metrics-port", &ports.argocd_server_metrics.to_string()])
        .args(["--repo-server", &format!("127.0.0.1:{}", ports.repo_server)])
        .arg("--repo-server-plaintext")
        .args(redis(plane));
    Ok(command)
}

/// It reads the in-cluster configuration alone, from a fixed place: a mount namespace gives it one of
/// its own.
fn sealed_secrets(plane: &ControlPlane, setting: &Setting) -> Result<Command, Error> {
    let ports = plane.ports();
    let program = plane.programs().get(programs::SEALED_SECRETS)?;
    let script = "mount -t tmpfs none /run && \
        mkdir -p /run/secrets/kubernetes.io/serviceaccount && \
        mount --bind \"$1\" /run/secrets/kubernetes.io/serviceaccount && shift && exec \"$@\"";
    let mut command = programs::command("unshare");
    if !nix::unistd::Uid::effective().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(setting.directory.join("serviceaccount"))
        .arg(program)
        .args(["--key-renew-period", "0"])
        .args([
            "--listen-addr",
            &format!("127.0.0.1:{}", ports.sealed_secrets),
        ])
        .args([
            "--listen-metrics-addr",
            &format!("127.0.0.1:{}", ports.sealed_secrets_metrics),
        ])
        .env_clear()
        .env("PATH", plain_path())
        .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        .env("KUBERNETES_SERVICE_PORT", ports.api_server.to_string());
    Ok(command)
}

#[expect(
    clippy::disallowed_methods,
    reason = "programs of the machine, such as git, are found by its PATH"
)]
fn plain_path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}
