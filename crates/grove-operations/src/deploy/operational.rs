//! `grove deploy --only operational`: how instances are operated, over what runs.
//!
//! Everything else is rendered again from the source of the running release, so that nobody ships at night
//! what others merged in the meantime.

use std::collections::{BTreeMap, btree_map::Entry};

use grove_fleet::{Address, Fleet, model::Instance};
use grove_release::{DeployBranch, Id};
use grove_render::Tree;

use crate::{
    Error, Result,
    fleet::workspace::Workspace,
    release::records::{refuse_lost_secrets, rendered_from},
    render::pipeline::Pipeline,
};

/// Instances as they run, with what the fleet says now about how they are operated.
pub(super) struct Operational {
    /// The fleet of each source.
    fleets: BTreeMap<Id, Fleet>,
    /// With the source of each.
    instances: BTreeMap<Address, (Id, Instance)>,
}

impl Operational {
    /// Reads the fleets that `instances` run from.
    pub(super) fn read(
        workspace: &Workspace<'_>,
        branches: &[DeployBranch],
        instances: &[&Instance],
    ) -> Result<Self> {
        let mut read = Self {
            fleets: BTreeMap::new(),
            instances: BTreeMap::new(),
        };
        for now in instances {
            let address = &now.address;
            let branch = branches
                .iter()
                .find(|branch| branch.cluster() == address.cluster);
            let view = branch.map(DeployBranch::view).transpose()?;
            let view = view.ok_or_else(|| never(address))?;
            let running = view
                .latest(&address.instance)?
                .ok_or_else(|| never(address))?;
            refuse_lost_secrets(now, &running)?;
            let source = rendered_from(&view, address, running)?;
            if let Entry::Vacant(entry) = read.fleets.entry(source) {
                let then = workspace.as_of(source)?;
                let fleet = then.sound().map_err(|error| {
                    error.context(format!(
                        "{address} runs from {}, which this Grove cannot render",
                        source.short()
                    ))
                })?;
                entry.insert(fleet);
            }
            let then = read
                .fleets
                .get(&source)
                .and_then(|fleet| fleet.instances.get(address))
                .ok_or_else(|| never(address))?;
            let instance = over(then, now);
            read.instances.insert(address.clone(), (source, instance));
        }
        Ok(read)
    }

    /// The instances, in the order of their addresses.
    pub(super) fn instances(&self) -> Vec<&Instance> {
        self.instances
            .values()
            .map(|(_, instance)| instance)
            .collect()
    }

    /// The same, for keeps.
    pub(super) fn into_instances(self) -> BTreeMap<Address, Instance> {
        let instances = self.instances.into_iter();
        instances
            .map(|(address, (_, instance))| (address, instance))
            .collect()
    }

    /// Their trees.
    pub(super) fn trees(
        &self,
        pipeline: &Pipeline<'_>,
        deploy_remote: &str,
    ) -> Result<BTreeMap<Address, Tree>> {
        let mut trees = BTreeMap::new();
        for (source, fleet) in &self.fleets {
            let own = self.instances.values().filter(|(from, _)| from == source);
            let own: Vec<&Instance> = own.map(|(_, instance)| instance).collect();
            trees.extend(pipeline.trees(fleet, &own, deploy_remote)?);
        }
        Ok(trees)
    }
}

fn never(address: &Address) -> Error {
    Error::refused(format!("{address} does not run yet")).hint("deploy it first")
}

/// What ran, with what is said now of its state, its size, and the values of its secrets.
fn over(then: &Instance, now: &Instance) -> Instance {
    let mut instance = then.clone();
    instance.state = now.state;
    instance.maintenance = now.maintenance.clone();
    instance.autoscaling = now.autoscaling.clone();
    for known in instance.resources.values_mut() {
        known.replicas = None;
    }
    for (workload, resources) in &now.resources {
        if resources.replicas.is_some() {
            let known = instance.resources.entry(workload.clone()).or_default();
            known.replicas = resources.replicas;
        }
    }
    // One that is gone and was needed is refused before; one that was not needed is not missed.
    instance
        .secrets
        .retain(|name, _| now.secrets.contains_key(name));
    for (name, reference) in &mut instance.secrets {
        if let Some(today) = now.secrets.get(name) {
            reference.clone_from(today);
        }
    }
    instance
}
