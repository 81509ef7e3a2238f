//! Bad input gets a finding or a clear error, and changes nothing.

mod disk;
mod files;
mod interrupted;
mod plugins;
mod remotes;
mod values;

use grove_test::World;

use crate::example_world;

const UNI: &str = "clusters/alpha/instances/uni/instance.yaml";

/// The example fleet in a world where `alpha` has an empty deploy repository.
fn world_with_remote() -> World {
    let world = example_world();
    let _ = world.bare_repository("deploy-alpha.git");
    world
}

/// Every reference of the deploy repository of `alpha`, with its commit.
fn branches(world: &World) -> String {
    let remote = world.path("deploy-alpha.git");
    world
        .open(&remote)
        .git(["for-each-ref", "--format=%(refname) %(objectname)"])
}

/// Deploys `alpha/uni`, which must work; the deploy repository must be whole afterwards.
#[track_caller]
fn deploys(world: &World) {
    let _ = world.grove(["deploy", "alpha/uni"]).success();
    // The branch, and the reference that tells when it is gone.
    let both = branches(world);
    let tip = both.rsplit(' ').next().unwrap_or_default();
    assert_eq!(
        both,
        format!("refs/grove/alpha {tip}\nrefs/heads/deploy/alpha {tip}")
    );
    let remote = world.path("deploy-alpha.git");
    let _ = world
        .open(&remote)
        .git(["fsck", "--strict", "--no-dangling"]);
}
