//! Following what instances share until it runs.

use std::{collections::BTreeMap, time::Duration};

use grove_fleet::model::Cluster;
use grove_release::DeployBranch;

use crate::{
    Around,
    release::follow::{Release, Waited, follow},
};

/// Follows what a branch has of what a cluster's instances share, for so many seconds at most; nothing
/// where none are given, or where nothing was released yet.
///
/// What was pushed stays pushed: a failure becomes a row, so that what was done is said all the same.
pub fn wait(
    around: &Around,
    branch: &DeployBranch,
    cluster: &Cluster,
    seconds: Option<u64>,
) -> Vec<Waited> {
    let (Some(seconds), Some(tip)) = (seconds, branch.tip()) else {
        return Vec::new();
    };
    Release::shared(branch, cluster, tip).map_or_else(
        |error| {
            around.progress_done();
            around.failed(&error);
            vec![Waited::not(&format!("{}: cluster/", cluster.name), &error)]
        },
        |releases| releases_of(around, cluster, &releases, seconds),
    )
}

/// Follows releases of one cluster.
pub(super) fn releases_of(
    around: &Around,
    cluster: &Cluster,
    releases: &[Release],
    seconds: u64,
) -> Vec<Waited> {
    let clusters = BTreeMap::from([(cluster.name.clone(), cluster.clone())]);
    follow(around, Duration::from_secs(seconds), &clusters, releases)
}
