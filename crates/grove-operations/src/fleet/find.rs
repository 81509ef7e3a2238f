//! Instances and clusters by name, and what is said where there is none.

use grove_fleet::{
    Address, Fleet,
    model::{Cluster, Instance},
    near::nearest,
};

use crate::{Error, Result};

/// Reads `cluster/instance`.
pub fn address(text: &str) -> Result<Address> {
    match text.split_once('/') {
        Some((cluster, instance))
            if !cluster.is_empty() && !instance.is_empty() && !instance.contains('/') =>
        {
            Ok(Address::new(cluster, instance))
        }
        _ => Err(Error::usage(format!("`{text}` is not `cluster/instance`"))),
    }
}

/// An instance of the fleet.
pub fn find<'a>(fleet: &'a Fleet, address: &Address) -> Result<&'a Instance> {
    fleet.instances.get(address).ok_or_else(|| {
        let all: Vec<String> = fleet.instances.keys().map(ToString::to_string).collect();
        let near = nearest(&address.to_string(), all.iter().map(String::as_str));
        Error::usage(format!("the fleet has no instance `{address}`")).hint(near.map_or_else(
            || "`grove check` shows what cannot be read".to_owned(),
            |near| format!("did you mean `{near}`?"),
        ))
    })
}

/// A cluster of the fleet.
pub fn find_cluster<'a>(fleet: &'a Fleet, name: &str) -> Result<&'a Cluster> {
    fleet.clusters.get(name).ok_or_else(|| {
        let names: Vec<&str> = fleet.clusters.keys().map(String::as_str).collect();
        let hint = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => format!("`grove new cluster {name}` makes it"),
            None => format!("there are: {}", names.join(", ")),
        };
        Error::usage(format!("the fleet has no cluster `{name}`")).hint(hint)
    })
}
