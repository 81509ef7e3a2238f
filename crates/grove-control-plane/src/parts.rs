//! The command line of each part.

use std::{path::Path, process::Command};

use crate::{Error, Programs, process::Processes, programs};

/// The parts of Kubernetes, in the order in which they start. Argo CD's and Sealed Secrets' are the
/// player's.
pub(crate) const ETCD: &str = "etcd";
pub(crate) const API_SERVER: &str = "kube-apiserver";
pub(crate) const CONTROLLER_MANAGER: &str = "kube-controller-manager";
pub(crate) const SCHEDULER: &str = "kube-scheduler";
pub(crate) const KWOK: &str = "kwok";
pub(crate) const REDIS: &str = "redis";
pub(crate) const PLAYER: &str = "player";

/// Loopback ports, free when they were chosen.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Ports {
    pub(crate) etcd: u16,
    pub(crate) etcd_peer: u16,
    pub(crate) api_server: u16,
    pub(crate) controller_manager: u16,
    pub(crate) scheduler: u16,
    pub(crate) kwok: u16,
    pub(crate) redis: u16,
    pub(crate) repo_server: u16,
    pub(crate) repo_server_metrics: u16,
    pub(crate) controller_metrics: u16,
    pub(crate) argocd_server: u16,
    pub(crate) argocd_server_metrics: u16,
    pub(crate) sealed_secrets: u16,
    pub(crate) sealed_secrets_metrics: u16,
}

impl Ports {
    /// Ports that nobody listens on now.
    pub(crate) fn free() -> Result<Self, Error> {
        // All are held until the last is chosen, so that no two are the same.
        let mut held = Vec::new();
        let mut port = || -> Result<u16, Error> {
            let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
            let port = listener.local_addr()?.port();
            held.push(listener);
            Ok(port)
        };
        Ok(Self {
            etcd: port()?,
            etcd_peer: port()?,
            api_server: port()?,
            controller_manager: port()?,
            scheduler: port()?,
            kwok: port()?,
            redis: port()?,
            repo_server: port()?,
            repo_server_metrics: port()?,
            controller_metrics: port()?,
            argocd_server: port()?,
            argocd_server_metrics: port()?,
            sealed_secrets: port()?,
            sealed_secrets_metrics: port()?,
        })
    }
}

/// What every command line is made of.
pub(crate) struct Parts<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) ports: &'a Ports,
    pub(crate) programs: &'a Programs,
    pub(crate) processes: &'a Processes,
}

impl Parts<'_> {
    pub(crate) fn etcd(&self) -> Result<(), Error> {
        let client = format!("http://127.0.0.1:{}", self.ports.etcd);
        let peer = format!("http://127.0.0.1:{}", self.ports.etcd_peer);
        let mut command = programs::command(self.programs.get(programs::ETCD)?);
        command
            .arg("--unsafe-no-fsync")
            .arg("--data-dir")
            .arg(self.directory.join("etcd"))
            .args([
                "--listen-client-urls",
                &client,
                "--advertise-client-urls",
                &client,
            ])
            .args([
                "--listen-peer-urls",
                &peer,
                "--initial-advertise-peer-urls",
                &peer,
            ])
            .args(["--initial-cluster", &format!("default={peer}")]);
        self.processes.start(ETCD, &mut command)
    }

    pub(crate) fn api_server(&self) -> Result<(), Error> {
        let key = self.directory.join("service-account.pem");
        let mut command = programs::command(self.programs.get(programs::API_SERVER)?);
        command
            .arg(format!(
                "--etcd-servers=http://127.0.0.1:{}",
                self.ports.etcd
            ))
            .arg(format!(
                "--cert-dir={}",
                self.directory.join("certificates").display()
            ))
            .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
            // A loopback address is no endpoint of the Service `kubernetes`.
            .arg("--endpoint-reconciler-type=none")
            .arg(format!("--secure-port={}", self.ports.api_server))
            .arg("--service-account-issuer=https://kubernetes.default.svc")
            .arg(format!("--service-account-key-file={}", key.display()))
            .arg(format!(
                "--service-account-signing-key-file={}",
                key.display()
            ))
            .arg("--service-cluster-ip-range=10.96.0.0/16")
            .arg(format!(
                "--token-auth-file={}",
                self.directory.join("tokens.csv").display()
            ))
            .args(["--authorization-mode=RBAC", "--allow-privileged"]);
        self.processes.start(API_SERVER, &mut command)
    }

    pub(crate) fn controller_manager(&self) -> Result<(), Error> {
        let key = self.directory.join("service-account.pem");
        let certificate = self.directory.join("certificates/apiserver.crt");
        let mut command =
            self.component(programs::CONTROLLER_MANAGER, self.ports.controller_manager)?;
        command
            .args(["--controllers=*,-nodeipam,-nodelifecycle"])
            .args(["--use-service-account-credentials", "--leader-elect=false"])
            .arg(format!(
                "--service-account-private-key-file={}",
                key.display()
            ))
            .arg(format!("--root-ca-file={}", certificate.display()));
        self.processes.start(CONTROLLER_MANAGER, &mut command)
    }

    pub(crate) fn scheduler(&self) -> Result<(), Error> {
        let mut command = self.component(programs::SCHEDULER, self.ports.scheduler)?;
        command.arg("--leader-elect=false");
        self.processes.start(SCHEDULER, &mut command)
    }

    fn component(&self, program: programs::Program, port: u16) -> Result<Command, Error> {
        let kubeconfig = self.directory.join("kubeconfig");
        let mut command = programs::command(self.programs.get(program)?);
        for flag in [
            "kubeconfig",
            "authentication-kubeconfig",
            "authorization-kubeconfig",
        ] {
            command.arg(format!("--{flag}={}", kubeconfig.display()));
        }
        command
            .args(["--bind-address=127.0.0.1", &format!("--secure-port={port}")])
            .arg(format!(
                "--cert-dir={}",
                self.directory
                    .join(format!("certificates-{}", program.name))
                    .display()
            ));
        Ok(command)
    }

    pub(crate) fn kwok(&self) -> Result<(), Error> {
        let port = self.ports.kwok.to_string();
        let certificates = self.directory.join("certificates");
        let mut command = programs::command(self.programs.get(programs::KWOK)?);
        command
            .current_dir(self.directory)
            .arg("--manage-all-nodes")
            .arg("--kubeconfig")
            .arg(self.directory.join("kubeconfig"))
            .arg("--config")
            .arg(self.directory.join("stages.yaml"))
            .args(["--server-address", &format!("127.0.0.1:{port}")])
            // The API server asks the node for a pod's log; it does not check the certificate.
            .args(["--node-ip", "127.0.0.1", "--node-port", &port])
            .arg("--tls-cert-file")
            .arg(certificates.join("apiserver.crt"))
            .arg("--tls-private-key-file")
            .arg(certificates.join("apiserver.key"));
        self.processes.start(KWOK, &mut command)
    }

    pub(crate) fn redis(&self) -> Result<(), Error> {
        let mut command = programs::command("redis-server");
        command
            .current_dir(self.directory)
            .args([
                "--port",
                &self.ports.redis.to_string(),
                "--bind",
                "127.0.0.1",
            ])
            .args(["--save", "", "--daemonize", "no"]);
        self.processes
            .start(REDIS, &mut command)
            .map_err(|error| match error {
                Error::Io(_) => Error::Missing {
                    program: "redis-server",
                    package: "redis-server",
                },
                other => other,
            })
    }
}
