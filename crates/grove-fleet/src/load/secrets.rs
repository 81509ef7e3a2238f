//! Names and places of secrets; their values stay encrypted.
//!
//! A SOPS file is YAML whose leaves are texts `ENC[AES256_GCM,…]` beside a map `sops` that says
//! who may read them. SOPS leaves empty texts as they are.

use std::collections::BTreeMap;

use grove_stack::stack;
use grove_yaml::Node;
use sha2::{Digest as _, Sha256};

use crate::{
    Address,
    documents::{Document, Documents},
    layout,
    layout::Kind,
    model::SecretReference,
};

/// The key of a SOPS file under which SOPS keeps its own data.
pub const SOPS: &str = "sops";

/// Whether a text is one that SOPS encrypted.
pub fn is_encrypted(text: &str) -> bool {
    text.starts_with("ENC[AES256_GCM,data:") && text.ends_with(']')
}

type References = BTreeMap<String, SecretReference>;

/// The secrets that several instances share, each file read once.
pub(super) struct Shared {
    clusters: BTreeMap<String, OfCluster>,
    groups: BTreeMap<String, References>,
}

/// The two maps of a cluster's file.
struct OfCluster {
    instances: References,
    cluster: References,
}

impl Shared {
    pub(super) fn new(documents: &Documents) -> Self {
        let mut shared = Self {
            clusters: BTreeMap::new(),
            groups: BTreeMap::new(),
        };
        for document in documents.files.values() {
            match &document.kind {
                Kind::ClusterSecrets(name) => {
                    let secrets = OfCluster {
                        instances: read(document, Some("instances")),
                        cluster: read(document, Some("cluster")),
                    };
                    shared.clusters.insert(name.clone(), secrets);
                }
                Kind::GroupSecrets(name) => {
                    shared.groups.insert(name.clone(), read(document, None));
                }
                _ => {}
            }
        }
        shared
    }

    /// What a cluster keeps for itself.
    pub(super) fn of_cluster(&self, cluster: &str) -> References {
        self.clusters
            .get(cluster)
            .map(|secrets| secrets.cluster.clone())
            .unwrap_or_default()
    }

    /// What an instance has: from its cluster, its groups in their order, and its own file.
    pub(super) fn of_instance(
        &self,
        documents: &Documents,
        address: &Address,
        groups: &[String],
    ) -> References {
        let inherited = self.clusters.get(&address.cluster);
        let mut secrets = inherited
            .map(|secrets| secrets.instances.clone())
            .unwrap_or_default();
        for group in groups.iter().filter_map(|group| self.groups.get(group)) {
            secrets.extend(group.clone());
        }
        if let Some(own) = documents.get(&layout::instance_secrets(address)) {
            secrets.extend(read(own, None));
        }
        secrets
    }
}

/// The sensitive outputs of a stack, by name.
pub fn output_secrets(documents: &Documents, stack: &stack::Address) -> References {
    let document = documents.get(&stack.outputs_secrets_file());
    document
        .map(|document| read(document, None))
        .unwrap_or_default()
}

/// The secrets of one file, or of one map at its top.
///
/// A value that is not encrypted is left out, so that no digest of a plain secret is ever made.
fn read(document: &Document, below: Option<&str>) -> References {
    let root = document.root.as_ref();
    let map = match below {
        Some(key) => root.and_then(|root| root.get(key)),
        None => root,
    };
    map.map_or(&[] as &[_], Node::entries)
        .iter()
        .filter(|entry| below.is_some() || entry.key != SOPS)
        .filter_map(|entry| {
            let text = entry.value.as_str()?;
            if !text.is_empty() && !is_encrypted(text) {
                return None;
            }
            let path = below
                .map(str::to_owned)
                .into_iter()
                .chain([entry.key.clone()])
                .collect();
            let reference = SecretReference {
                file: document.real.clone(),
                path,
                digest: format!("sha256:{:x}", Sha256::digest(text)),
            };
            Some((entry.key.clone(), reference))
        })
        .collect()
}
