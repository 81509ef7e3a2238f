//! From the documents of a fleet to the typed fleet.
//!
//! Best effort, as reading them is: what is broken is left out, and the rules of grove-check say what and
//! why. So a [`Fleet`] is only to be rendered when the check has found no error.

mod build;
mod cluster;
mod data;
mod distribution;
mod domains;
mod flags;
mod frontend;
mod instance;
mod plugins;
mod read;
mod references;
mod secrets;
mod stacks;
#[cfg(test)]
mod tests;
mod workloads;

pub use crate::documents::documents;
pub use data::DataProblem;
pub use references::{Given, given};
pub use secrets::{SOPS, is_encrypted, output_secrets};

use std::collections::BTreeMap;

use grove_yaml::Node;
use rayon::prelude::*;
use serde_json::Value;

use crate::{Address, Fleet, documents::Documents, layer, layout, layout::Kind};

/// A fleet, and what showed while it was put together.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The fleet with its layers merged and everything typed.
    pub fleet: Fleet,
    /// What is wrong with `data` of instances; each has one problem or more.
    pub problems: BTreeMap<Address, Vec<DataProblem>>,
}

/// The fleet with its layers merged and everything typed.
pub fn fleet(documents: &Documents) -> Fleet {
    load(documents).fleet
}

/// The same, and what is wrong with values that only all layers show.
pub fn load(documents: &Documents) -> Loaded {
    let mut fleet = Fleet::default();
    if let Some(root) = documents.root(layout::FLEET) {
        let text = |path: &[&str]| root.at(path).and_then(Node::as_str).map(str::to_owned);
        fleet.name = text(&["name"]).unwrap_or_default();
        fleet.deploy_remote = text(&["deploy", "remote"]).unwrap_or_default();
        fleet.registry = text(&["registry", "push"]);
        fleet.pull_secret = text(&["registry", "pull_secret"]);
        fleet.published_key = text(&["published_key"]);
        fleet.rings = layer::rings(root)
            .map(|(name, _)| name.to_owned())
            .collect();
    }
    let secrets = secrets::Shared::new(documents);
    for document in documents.files.values() {
        match &document.kind {
            Kind::Distribution(name) => {
                fleet
                    .distributions
                    .insert(name.clone(), distribution::read(documents, name, document));
            }
            Kind::Cluster(name) => {
                let cluster = cluster::read(documents, name, document, &secrets);
                fleet.clusters.insert(name.clone(), cluster);
            }
            _ => {}
        }
    }
    let plugins = plugins::Shared::new(documents);
    let read = documents
        .instances()
        .collect::<Vec<_>>()
        .into_par_iter()
        .filter_map(|(address, document)| {
            instance::read(documents, address, document, &plugins, &secrets)
        })
        .collect::<Vec<_>>();
    let mut stated = BTreeMap::new();
    for (instance, data) in read {
        stated.insert(instance.address.clone(), data);
        fleet.instances.insert(instance.address.clone(), instance);
    }
    fleet.stacks = stacks::read(documents, &fleet);
    references::resolve(&mut fleet, &mut stated);
    let mut problems = BTreeMap::new();
    for (address, instance) in &mut fleet.instances {
        let cluster = fleet.clusters.get(&address.cluster);
        let stated = stated.get(address).unwrap_or(&Value::Null);
        let found = data::read(instance, cluster, stated);
        if !found.is_empty() {
            problems.insert(address.clone(), found);
        }
    }
    Loaded { fleet, problems }
}
