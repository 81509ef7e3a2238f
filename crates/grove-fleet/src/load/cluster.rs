//! `clusters/<name>/`.

use grove_yaml::Node;
use x509_cert::{Certificate as X509, der::DecodePem as _};

use super::{Document, Documents, secrets};
use crate::{
    layout,
    model::{Certificate, Cluster},
};

/// The ingress class that Harmony's Traefik has.
const INGRESS_CLASS: &str = "traefik";

/// The `ClusterIssuer` that Harmony makes.
const CLUSTER_ISSUER: &str = "harmony-letsencrypt-global";

/// The namespace of Argo CD's own manifests.
const ARGOCD_NAMESPACE: &str = "argocd";

/// Reads a cluster; what is missing gets its default.
pub(super) fn read(
    documents: &Documents,
    name: &str,
    document: &Document,
    secrets: &secrets::Shared,
) -> Cluster {
    let text = |path: &[&str]| {
        let root = document.root.as_ref()?;
        root.at(path).and_then(Node::as_str).map(str::to_owned)
    };
    let or = |path: &[&str], default: &str| text(path).unwrap_or_else(|| default.to_owned());
    Cluster {
        name: name.to_owned(),
        provider: or(&["provider"], ""),
        server: text(&["kubernetes", "server"]),
        uid: text(&["kubernetes", "uid"]),
        domain: text(&["domain"]),
        ingress_class: or(&["ingress", "class"], INGRESS_CLASS),
        cluster_issuer: or(&["certificates", "issuer"], CLUSTER_ISSUER),
        argocd_namespace: or(&["argo", "namespace"], ARGOCD_NAMESPACE),
        argocd_version: text(&["argo", "versions", "argocd"]),
        sealed_secrets_version: text(&["secrets", "version"]),
        sealing: documents
            .get(&layout::sealing(name))
            .and_then(|document| certificate(&document.bytes)),
        secrets: secrets.of_cluster(name),
    }
}

/// The certificate in a PEM file, where it is one.
pub(crate) fn certificate(bytes: &[u8]) -> Option<Certificate> {
    let pem = std::str::from_utf8(bytes).ok()?;
    let parsed = X509::from_pem(pem).ok()?;
    let not_after = parsed.tbs_certificate.validity.not_after;
    Some(Certificate {
        pem: pem.to_owned(),
        not_after: i64::try_from(not_after.to_unix_duration().as_secs()).ok()?,
    })
}
