//! A state a stack becomes one state.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, btree_map::Entry},
};

use crate::{Address, Error, Part, Record, ResourceAddress, State, split::Moved, state::Resource};

/// Puts the parts of a split together: the inverse of [`crate::split()`], on the content that the parts
/// have now. The state has the lineage that was split and the serial after it. Outputs that no part has
/// are not there.
pub fn join<'a>(parts: &[Part<'a>], record: &Record) -> Result<State<'a>, Error> {
    let mut resources: BTreeMap<ResourceAddress, Resource<'a>> = BTreeMap::new();
    let mut joined = State {
        terraform_version: Cow::default(),
        serial: record.serial + 1,
        lineage: Cow::Owned(record.lineage.clone()),
        outputs: Vec::new(),
        resources: Vec::new(),
        fields: Vec::new(),
    };
    for known in &record.parts {
        let fault = |message: &str| Error::Part {
            stack: known.stack.clone(),
            message: message.to_owned(),
        };
        let part = parts
            .iter()
            .find(|part| part.stack == known.stack)
            .ok_or_else(|| fault("it is missing"))?;
        if part.state.lineage != known.lineage.as_str() {
            return Err(fault("it has another lineage"));
        }
        if joined.terraform_version.is_empty() {
            joined
                .terraform_version
                .clone_from(&part.state.terraform_version);
            joined.fields.clone_from(&part.state.fields);
        }
        joined.outputs.extend(part.state.outputs.iter().cloned());
        let moved: HashMap<(&str, Option<&str>), &Moved> = known
            .moved
            .iter()
            .map(|moved| ((moved.to.as_str(), moved.deposed.as_deref()), moved))
            .collect();
        for resource in &part.state.resources {
            for instance in &resource.instances {
                let mut address = resource.address_of(instance);
                let mut instance = instance.clone();
                let now = address.to_string();
                if let Some(moved) = moved.get(&(now.as_str(), instance.deposed.as_deref())) {
                    if let Some(from) = &moved.from {
                        address = Address::parse(from)
                            .ok_or_else(|| fault("its record has a bad address"))?;
                    }
                    if let Some(dependencies) = &moved.dependencies {
                        let all = dependencies.iter().cloned().map(Cow::Owned);
                        instance.dependencies = all.collect();
                    }
                }
                instance.key = address.key;
                match resources.entry(address.resource) {
                    Entry::Occupied(mut known) => known.get_mut().instances.push(instance),
                    Entry::Vacant(new) => {
                        let address = new.key().clone();
                        new.insert(Resource {
                            module: address.module,
                            mode: resource.mode,
                            kind: Cow::Owned(address.kind),
                            name: Cow::Owned(address.name),
                            instances: vec![instance],
                            fields: resource.fields.clone(),
                        });
                    }
                }
            }
        }
    }
    joined.resources = resources.into_values().collect();
    joined.outputs.sort_by(|a, b| a.0.cmp(&b.0));
    joined.sort();
    if let Some(address) = joined.doubled() {
        return Err(Error::Twice {
            address: address.to_string(),
        });
    }
    Ok(joined)
}
