//! The files of a fleet, read: what each is, its bytes, and its tree where it is YAML.

use std::{collections::BTreeMap, sync::Arc};

use grove_yaml::{Limits, Node, Problem};
use rayon::prelude::*;

use crate::{Address, Snapshot, layout::Kind, links};

/// What one file of a fleet may ask for. Real ones have some hundred values.
const LIMITS: Limits = Limits {
    bytes: 4 << 20,
    depth: 100,
    nodes: 50_000,
};

/// Every file of the known layout, read.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// By path, links followed: a linked file stands under each path that it has.
    pub files: BTreeMap<String, Document>,
}

/// One file of the known layout.
#[derive(Clone, Debug)]
pub struct Document {
    /// Where the layout has it.
    pub path: String,
    /// Where it really stands: another path where a link leads here. Findings name this one.
    pub real: String,
    /// What it is.
    pub kind: Kind,
    /// Its bytes; none where it is too large or cannot be read.
    pub bytes: Arc<[u8]>,
    /// The tree, where it is YAML, as far as it could be read.
    pub root: Option<Node>,
    /// What is wrong with it as YAML.
    pub problems: Vec<Problem>,
}

impl Documents {
    /// The file at a path.
    pub fn get(&self, path: &str) -> Option<&Document> {
        self.files.get(path)
    }

    /// The tree of the file at a path, where it has one.
    pub fn root(&self, path: &str) -> Option<&Node> {
        self.files.get(path)?.root.as_ref()
    }

    /// Every instance that has an `instance.yaml`, whatever stands in it.
    pub fn instances(&self) -> impl Iterator<Item = (&Address, &Document)> {
        self.files
            .values()
            .filter_map(|document| match &document.kind {
                Kind::Instance(address) => Some((address, document)),
                _ => None,
            })
    }
}

/// Reads every file of the known layout.
pub fn documents(snapshot: &Snapshot) -> Documents {
    let files = links::known_files(snapshot)
        .into_par_iter()
        .map(|found| {
            let bytes = snapshot.bytes(found.real).cloned();
            let parsed = match &bytes {
                Some(bytes) if found.kind.is_yaml() => grove_yaml::parse(bytes, LIMITS),
                _ => grove_yaml::Parsed::default(),
            };
            let document = Document {
                path: found.path.clone(),
                real: found.real.to_owned(),
                kind: found.kind,
                bytes: bytes.unwrap_or_default(),
                root: parsed.root,
                problems: parsed.problems,
            };
            (found.path, document)
        })
        .collect();
    Documents { files }
}
