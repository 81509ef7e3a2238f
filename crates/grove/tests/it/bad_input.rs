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

/// Every branch of the deploy repository of `alpha`, with its commit.
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
    assert!(
        branches(world).starts_with("refs/heads/deploy/alpha "),
        "{}",
        branches(world)
    );
    let remote = world.path("deploy-alpha.git");
    let _ = world
        .open(&remote)
        .git(["fsck", "--strict", "--no-dangling"]);
}
