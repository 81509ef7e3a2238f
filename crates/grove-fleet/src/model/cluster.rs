//! One Kubernetes cluster.

use std::collections::BTreeMap;

use grove_stack::backend::Storage;
use serde_json::Value;

use super::{SecretReference, Server, Waits};

/// What `clusters/<name>/` says.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// Its directory's name.
    pub name: String,
    /// `provider`.
    pub provider: String,
    /// `kubernetes.server`: the address of its API server.
    pub server: Option<String>,
    /// `kubernetes.uid`: the uid of its namespace `kube-system`.
    pub uid: Option<String>,
    /// `domain`, for hosts of the cluster's own.
    pub domain: Option<String>,
    /// `ingress.class`; Traefik where nothing is said, as Harmony installs it.
    pub ingress_class: String,
    /// `certificates.issuer`: the name of the cert-manager `ClusterIssuer`; Harmony's where nothing is said.
    pub cluster_issuer: String,
    /// The namespace in which Argo CD runs.
    pub argocd_namespace: String,
    /// `argo.versions.argocd`.
    pub argocd_version: Option<String>,
    /// `secrets.version`: that of the controller of Sealed Secrets.
    pub sealed_secrets_version: Option<String>,
    /// `harmony`.
    pub harmony: Option<Harmony>,
    /// `addons`: the values of each, by name.
    pub addons: BTreeMap<String, Value>,
    /// `sealing.pem`, where it is there and readable.
    pub sealing: Option<Certificate>,
    /// `servers` that instances share, by name.
    pub servers: BTreeMap<String, Server>,
    /// `admin_image`: what Jobs that make users and databases run in.
    pub admin_image: Option<String>,
    /// `state`, where it is stated as its back end needs it.
    pub storage: Option<Storage>,
    /// `credentials`: environment variable → name of a secret of the cluster.
    pub credentials: BTreeMap<String, String>,
    /// `environment`: variables of the operator's own that pass to providers.
    pub environment: Vec<String>,
    /// What `harmony` and `addons` wait for: outputs that no stack has given yet.
    pub waits: Vec<Waits>,
    /// Names and places of the `cluster` map of `secrets.sops.yaml`; instances never see these.
    pub secrets: BTreeMap<String, SecretReference>,
}

/// The Harmony chart of a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Harmony {
    /// `harmony.version`.
    pub version: String,
    /// `harmony.chart`.
    pub chart: Chart,
    /// `harmony.namespace`.
    pub namespace: String,
    /// `harmony.values`: a map.
    pub values: Value,
    /// `harmony.crds`: engine → version, as far as stated.
    pub crds: BTreeMap<String, String>,
}

/// Where a Helm chart is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chart {
    /// In a Helm repository.
    Repository {
        /// Its address: `https://…`, or a registry's host and path without a scheme.
        url: String,
    },
    /// In a directory of the fleet, by its name below `charts/`.
    Vendored(String),
}

/// The public certificate of a cluster's Sealed Secrets controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The PEM text.
    pub pem: String,
    /// First second of its validity, in seconds since 1970.
    pub not_before: i64,
    /// Last second of its validity, in seconds since 1970.
    pub not_after: i64,
}
