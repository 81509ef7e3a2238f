//! Names and places of secrets; their values stay encrypted.
//!
//! A SOPS file is YAML whose leaves are texts `ENC[AES256_GCM,…]` beside a map `sops` that says
//! who may read them. SOPS leaves empty texts as they are.

use std::{collections::BTreeMap, sync::Arc};

use grove_yaml::Node;
use sha2::{Digest as _, Sha256};

use super::Documents;
use crate::{layout, model::SecretReference};

/// The key of a SOPS file under which SOPS keeps its own data.
pub(crate) const SOPS: &str = "sops";

/// Whether a text is one that SOPS encrypted.
pub(crate) fn is_encrypted(text: &str) -> bool {
    text.starts_with("ENC[AES256_GCM,data:") && text.ends_with(']')
}

type References = Arc<BTreeMap<String, SecretReference>>;

/// The secrets of every file, each file read once.
pub(super) struct Secrets<'a> {
    documents: &'a Documents,
    read: BTreeMap<(String, Option<&'static str>), References>,
}

impl<'a> Secrets<'a> {
    pub(super) fn new(documents: &'a Documents) -> Self {
        Self {
            documents,
            read: BTreeMap::new(),
        }
    }

    /// What a cluster gives to all of its instances.
    pub(super) fn inherited(&mut self, cluster: &str) -> References {
        self.of(layout::cluster_secrets(cluster), Some("instances"))
    }

    /// What a cluster keeps for itself.
    pub(super) fn cluster(&mut self, cluster: &str) -> References {
        self.of(layout::cluster_secrets(cluster), Some("cluster"))
    }

    /// What a group gives to its instances.
    pub(super) fn group(&mut self, group: &str) -> References {
        self.of(layout::group_secrets(group), None)
    }

    fn of(&mut self, file: String, below: Option<&'static str>) -> References {
        let documents = self.documents;
        self.read
            .entry((file, below))
            .or_insert_with_key(|(file, below)| Arc::new(read(documents, file, *below)))
            .clone()
    }
}

/// The secrets of one file, or of one map at its top.
///
/// A value that is not encrypted is left out, so that no digest of a plain secret is ever made.
pub(super) fn read(
    documents: &Documents,
    file: &str,
    below: Option<&str>,
) -> BTreeMap<String, SecretReference> {
    let Some(document) = documents.get(file) else {
        return BTreeMap::new();
    };
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
