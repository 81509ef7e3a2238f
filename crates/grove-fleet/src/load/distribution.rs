//! `distributions/<name>.yaml` and its lock.

use std::collections::BTreeMap;

use grove_yaml::Node;

use crate::{
    documents::{Document, Documents},
    layout,
    model::{Distribution, Lock, Requirement},
};

/// Reads a distribution; requirements that are not written as such are left out.
pub(super) fn read(documents: &Documents, name: &str, document: &Document) -> Distribution {
    let root = document.root.as_ref();
    let at = |key: &str| root.and_then(|root| root.get(key));
    Distribution {
        name: name.to_owned(),
        release: at("release")
            .and_then(Node::as_str)
            .unwrap_or_default()
            .to_owned(),
        tutor: at("tutor").and_then(requirement).unwrap_or_default(),
        plugins: requirements(at("plugins")),
        packages: requirements(at("packages")),
        lock: documents
            .get(&layout::lock(name))
            .and_then(|document| std::str::from_utf8(&document.bytes).ok())
            .and_then(|text| Lock::parse(text).ok()),
    }
}

fn requirements(node: Option<&Node>) -> BTreeMap<String, Requirement> {
    node.map_or(&[] as &[_], Node::entries)
        .iter()
        .filter_map(|entry| Some((entry.key.clone(), requirement(&entry.value)?)))
        .collect()
}

fn requirement(node: &Node) -> Option<Requirement> {
    if let Some(version) = node.as_str() {
        return Some(Requirement::Version(version.to_owned()));
    }
    let text = |key| node.get(key).and_then(Node::as_str).map(str::to_owned);
    Some(Requirement::Git {
        git: text("git")?,
        rev: text("rev")?,
    })
}
