//! What a shell offers while a command is typed: names of the fleet that is here. What cannot be
//! read offers nothing.

use std::path::Path;

use clap_complete::CompletionCandidate;
use grove_fleet::{Fleet, load};

use crate::surroundings;

/// `cluster/instance`, each.
pub(crate) fn instances() -> Vec<CompletionCandidate> {
    let fleet = fleet().unwrap_or_default();
    fleet
        .instances
        .keys()
        .map(|address| CompletionCandidate::new(address.to_string()))
        .collect()
}

/// Names of clusters.
pub(crate) fn clusters() -> Vec<CompletionCandidate> {
    let fleet = fleet().unwrap_or_default();
    fleet
        .clusters
        .keys()
        .map(CompletionCandidate::new)
        .collect()
}

/// What a selection can name: instances, clusters and rings.
pub(crate) fn selectors() -> Vec<CompletionCandidate> {
    let fleet = fleet().unwrap_or_default();
    let clusters = fleet.clusters.keys().cloned();
    let rings = fleet.rings.iter().map(|ring| format!("@{ring}"));
    instances()
        .into_iter()
        .chain(clusters.chain(rings).map(CompletionCandidate::new))
        .collect()
}

/// What a selection of stacks can name.
pub(crate) fn stacks() -> Vec<CompletionCandidate> {
    let fleet = fleet().unwrap_or_default();
    let stacks = fleet.stacks.keys().map(ToString::to_string);
    stacks
        .map(CompletionCandidate::new)
        .chain(selectors())
        .collect()
}

/// Names of `distributions/NAME.yaml`.
pub(crate) fn distributions() -> Vec<CompletionCandidate> {
    let fleet = fleet().unwrap_or_default();
    fleet
        .distributions
        .keys()
        .map(CompletionCandidate::new)
        .collect()
}

fn fleet() -> Option<Fleet> {
    let named = surroundings::variable("GROVE_FLEET");
    let root = surroundings::fleet_directory(named.as_deref().map(Path::new)).ok()??;
    let snapshot = grove_release::worktree(&root).ok()?;
    Some(load::fleet(&load::documents(&snapshot)))
}
