//! `clusters/<name>/`.

use grove_yaml::Node;
use serde_json::{Map, Value};
use x509_cert::{Certificate as X509, der::DecodePem as _, time::Time};

use super::{data, secrets, stacks};
use crate::{
    documents::{Document, Documents},
    layout,
    model::{Certificate, Chart, Cluster, Harmony},
};

/// The ingress class that Harmony's Traefik has.
const INGRESS_CLASS: &str = "traefik";

/// The `ClusterIssuer` that Harmony makes.
const CLUSTER_ISSUER: &str = "harmony-letsencrypt-global";

/// The namespace of Argo CD's own manifests.
const ARGOCD_NAMESPACE: &str = "argocd";

/// Harmony's own Helm repository.
const HARMONY_CHART: &str = "https://openedx.github.io/openedx-k8s-harmony";

/// The namespace that Harmony's guide installs to.
const HARMONY_NAMESPACE: &str = "harmony";

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
        harmony: document
            .root
            .as_ref()
            .and_then(|root| harmony(root.get("harmony")?)),
        addons: document
            .root
            .iter()
            .filter_map(|root| root.get("addons"))
            .flat_map(Node::entries)
            .map(|addon| (addon.key.clone(), map(Some(&addon.value))))
            .collect(),
        sealing: documents
            .get(&layout::sealing(name))
            .and_then(|document| certificate(&document.bytes)),
        servers: data::servers(document.root.as_ref()),
        admin_image: text(&["admin_image"]),
        storage: document
            .root
            .as_ref()
            .and_then(|root| stacks::storage(root.get("state")?)),
        credentials: document
            .root
            .iter()
            .filter_map(|root| root.get("credentials"))
            .flat_map(Node::entries)
            .filter_map(|entry| Some((entry.key.clone(), entry.value.as_str()?.to_owned())))
            .collect(),
        environment: document
            .root
            .as_ref()
            .and_then(|root| root.get("environment"))
            .map(texts)
            .unwrap_or_default(),
        waits: Vec::new(),
        secrets: secrets.of_cluster(name),
    }
}

/// Reads `harmony`; none where it states no version.
fn harmony(node: &Node) -> Option<Harmony> {
    let text = |key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    let chart = text("chart").unwrap_or_else(|| HARMONY_CHART.to_owned());
    let chart = match chart.strip_prefix("charts/") {
        Some(name) => Chart::Vendored(name.to_owned()),
        None => Chart::Repository {
            // Argo CD takes a registry's address without its scheme.
            url: chart.strip_prefix("oci://").unwrap_or(&chart).to_owned(),
        },
    };
    Some(Harmony {
        version: text("version")?,
        chart,
        namespace: text("namespace").unwrap_or_else(|| HARMONY_NAMESPACE.to_owned()),
        values: map(node.get("values")),
        crds: node
            .get("crds")
            .into_iter()
            .flat_map(Node::entries)
            .filter_map(|crd| Some((crd.key.clone(), crd.value.as_str()?.to_owned())))
            .collect(),
    })
}

/// The texts of a list.
fn texts(node: &Node) -> Vec<String> {
    let nodes: &[Node] = match &node.value {
        grove_yaml::Value::List(nodes) => nodes,
        _ => &[],
    };
    nodes
        .iter()
        .filter_map(Node::as_str)
        .map(str::to_owned)
        .collect()
}

/// A map of free values; an empty one where there is none.
fn map(node: Option<&Node>) -> Value {
    match node.map(Node::to_json) {
        Some(value @ Value::Object(_)) => value,
        _ => Value::Object(Map::new()),
    }
}

/// The certificate in a PEM file, where it is one.
pub(crate) fn certificate(bytes: &[u8]) -> Option<Certificate> {
    let pem = std::str::from_utf8(bytes).ok()?;
    let parsed = X509::from_pem(pem).ok()?;
    let validity = parsed.tbs_certificate.validity;
    let seconds = |time: Time| i64::try_from(time.to_unix_duration().as_secs()).ok();
    Some(Certificate {
        pem: pem.to_owned(),
        not_before: seconds(validity.not_before)?,
        not_after: seconds(validity.not_after)?,
    })
}
