//! From the documents of a fleet to the typed fleet.
//!
//! Best effort, as reading them is: what is broken is left out, and the rules of `check` say what and
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
pub use references::{Given, given};
pub use secrets::output_secrets;
pub(crate) use secrets::{SOPS, is_encrypted};

use grove_yaml::Node;
use rayon::prelude::*;

use crate::{Fleet, documents::Documents, layer, layout, layout::Kind};

/// The fleet with its layers merged and everything typed.
pub fn fleet(documents: &Documents) -> Fleet {
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
    fleet.instances = documents
        .instances()
        .collect::<Vec<_>>()
        .into_par_iter()
        .filter_map(|(address, document)| {
            let instance = instance::read(documents, address, document, &plugins, &secrets)?;
            Some((address.clone(), instance))
        })
        .collect();
    fleet.stacks = stacks::read(documents, &fleet);
    references::resolve(&mut fleet);
    for instance in fleet.instances.values_mut() {
        data::read(instance, fleet.clusters.get(&instance.address.cluster));
    }
    fleet
}
