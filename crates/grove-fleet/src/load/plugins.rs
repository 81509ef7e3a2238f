//! Plugins that are files of the fleet.

use std::collections::BTreeMap;

use crate::{
    Address,
    documents::{Document, Documents},
    layout,
    layout::Kind,
    model::PluginFile,
};

/// The plugins that all instances share.
pub(super) struct Shared<'a> {
    documents: &'a Documents,
    by_name: BTreeMap<&'a str, PluginFile>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(documents: &'a Documents) -> Self {
        let by_name = below(documents, "plugins/")
            .filter_map(|document| match &document.kind {
                Kind::Plugin {
                    name,
                    instance: None,
                } => Some((name.as_str(), file(document))),
                _ => None,
            })
            .collect();
        Self { documents, by_name }
    }

    /// The files of the plugins that an instance has on; its own win over shared ones.
    pub(super) fn of(&self, address: &Address, on: &[String]) -> BTreeMap<String, PluginFile> {
        let directory = format!("{}/plugins/", layout::instance_directory(address));
        let own = below(self.documents, &directory)
            .filter_map(|document| match &document.kind {
                Kind::Plugin { name, .. } => Some((name.as_str(), document)),
                _ => None,
            })
            .collect::<BTreeMap<_, _>>();
        on.iter()
            .filter_map(|name| {
                let found = match own.get(name.as_str()) {
                    Some(document) => file(document),
                    None => self.by_name.get(name.as_str())?.clone(),
                };
                Some((name.clone(), found))
            })
            .collect()
    }
}

fn below<'a>(documents: &'a Documents, directory: &str) -> impl Iterator<Item = &'a Document> {
    documents.files.range(directory.to_owned()..).map_while({
        let directory = directory.to_owned();
        move |(path, document)| path.starts_with(&directory).then_some(document)
    })
}

fn file(document: &Document) -> PluginFile {
    PluginFile {
        path: document.real.clone(),
        content: document.bytes.clone(),
    }
}
