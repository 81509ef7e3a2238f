//! One Kubernetes cluster.

use std::collections::BTreeMap;

use super::SecretReference;

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
    /// `sealing.pem`, where it is there and readable.
    pub sealing: Option<Certificate>,
    /// Names and places of the `cluster` map of `secrets.sops.yaml`; instances never see these.
    pub secrets: BTreeMap<String, SecretReference>,
}

/// The public certificate of a cluster's Sealed Secrets controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The PEM text.
    pub pem: String,
    /// Last second of its validity, in seconds since 1970.
    pub not_after: i64,
}
