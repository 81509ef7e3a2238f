//! Tests of the `grove` command in a world of their own.
#![expect(
    let_underscore_drop,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "these are tests; a command that succeeded has nothing more to say"
)]

mod addons;
mod bad_input;
mod commands;
mod data_services;
mod deploy_branch;
mod features;
mod killed;
mod main_path;
mod passes;
mod peer;
mod rotation;
mod sealed_values;
mod servers;
mod stacks;
mod state;

use std::path::{Path, PathBuf};

use grove_test::World;

/// The compiled command.
const GROVE: &str = env!("CARGO_BIN_EXE_grove");

/// The example fleets.
fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(name)
}

/// A world that holds the example fleet as a repository with one commit. Its deploy repositories
/// are beside it, `deploy-<cluster>.git`.
fn example_world() -> World {
    let world = World::with_shared_cache(GROVE);
    world.copy(&example("fleet"), "fleet");
    let file = world.read("fleet/grove.yaml");
    let own = file.replace(
        "../../target/example-deploy/{cluster}.git",
        "../deploy-{cluster}.git",
    );
    assert_ne!(file, own);
    world.write("fleet/grove.yaml", own);
    world.repository(&world.fleet()).commit("The example fleet");
    world
}

/// Replaces text in a file of the fleet, which must have it.
fn edit(world: &World, path: &str, from: &str, to: &str) {
    let path = format!("fleet/{path}");
    let text = world.read(&path);
    assert!(text.contains(from), "{path} lacks {from}:\n{text}");
    world.write(&path, text.replace(from, to));
}
