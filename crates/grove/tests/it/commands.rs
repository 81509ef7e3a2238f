//! What commands print and how they end, a file for each command or topic.

mod check;
mod completions;
mod deploy;
mod doctor;
mod explain;
mod fleet;
mod help;
mod new;
mod rule;
mod schema;
mod secret;
mod selection;
mod streams;
mod usage;

use grove_test::{Output, World};
use serde_json::Value;

use crate::{GROVE, example};

/// A world whose fleet is a copy of an example, in no repository.
fn copy_of(name: &str) -> World {
    let world = World::new(GROVE);
    world.copy(&example(name), "fleet");
    world
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap()
}
