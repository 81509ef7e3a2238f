//! Where the fleet is found, and at which revision: `--fleet` and `--rev`.

use grove_test::World;
use insta::assert_snapshot;

use super::copy_of;
use crate::{GROVE, edit, example};

#[test]
fn a_fleet_is_found_above_the_current_directory_or_named() {
    let world = copy_of("fleet");
    let _ = world
        .command(["check"])
        .in_directory("fleet/clusters/alpha")
        .run()
        .success();
    let named = world.command(["check"]).in_directory("home");
    let _ = named.set("GROVE_FLEET", world.fleet()).run().success();
    assert_snapshot!(world.command(["check"]).in_directory("home").run().exits(2), @"
    exit code: 2
    ----- stderr -----
    error: no fleet here: `[HOME]` and its parents have no `grove.yaml`
    hint: name one with `--fleet DIR`, or make one with `grove init`
    ");
    let output = world.grove(["check", "--fleet", "../home"]);
    assert_snapshot!(output.exits(2), @"
    exit code: 2
    ----- stderr -----
    error: `../home` has no `grove.yaml`
    hint: name a fleet's directory, a bare repository with `--rev REV`, or make a fleet with `grove init`
    ");
}

/// A revision is read from the repository: a bare one, or one that has the fleet in a directory.
#[test]
fn a_revision_is_read_without_its_work_tree() {
    let world = World::new(GROVE);
    world.copy(&example("fleet"), "fleet");
    let fleet = world.fleet();
    let repository = world.repository(&fleet);
    let first = repository.commit("The example fleet");
    edit(&world, "grove.yaml", "name: ", "nme: ");
    let _ = repository.commit("A mistake");
    let bare = world.bare_repository("fleet.git");
    repository.git(["push", "--quiet", "../fleet.git", "main"]);
    let bare = bare.to_str().unwrap();
    let at = |revision: &str| {
        world
            .command(["check", "--fleet", bare, "--rev", revision])
            .in_directory("home")
            .run()
    };
    let _ = at(&first).success();
    let _ = at("main~1").success();
    let output = at("main").exits(1);
    assert!(output.stdout.contains("error[unknown-key]: "), "{output}");
    assert_snapshot!(at("mian").exits(2), @"
    exit code: 2
    ----- stderr -----
    error: the repository has no revision `mian`
    hint: fetch it first, or check its spelling
    ");
    // The work tree is not what is read.
    world.write("fleet/grove.yaml", "[");
    let _ = world.grove(["check", "--rev", &first]).success();

    let outer = World::new(GROVE);
    outer.copy(&example("fleet"), "fleet/deployments/edx");
    outer.write("fleet/README.md", "Much else.\n");
    outer
        .repository(&outer.fleet())
        .commit("A fleet among other things");
    outer.write("fleet/deployments/edx/grove.yaml", "[");
    let inside = |arguments: &[&str]| {
        outer
            .command(arguments)
            .in_directory("fleet/deployments/edx")
            .run()
    };
    assert_snapshot!(inside(&["check", "--rev", "HEAD"]).success(), @"
    exit code: 0
    ----- stderr -----
    2 clusters, 5 instances, 2 distributions: 0 errors, 0 warnings
    ");
    let _ = inside(&["check"]).exits(1);
    assert_snapshot!(inside(&["new", "group", "x", "--rev", "HEAD"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: this writes to the work tree; leave `--rev` out
    ");
}
