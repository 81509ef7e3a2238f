//! A combined state taken apart, with the real OpenTofu, and Terraform where it is installed.

mod configuration;
mod faults;
mod join;
mod page;
mod push;
mod split;

use std::path::{Path, PathBuf};

use grove_test::World;

use crate::GROVE;

/// The programs to try: OpenTofu, which the suite brings, and Terraform where it is installed.
fn programs() -> Vec<PathBuf> {
    let tofu = std::env::var_os("GROVE_TEST_TOFU").unwrap();
    let mut programs = vec![PathBuf::from(tofu)];
    programs.extend(grove_exec::find("terraform"));
    programs
}

/// Runs a program in a directory; it must succeed.
#[track_caller]
fn run(world: &World, program: &Path, directory: &str, arguments: &[&str]) {
    let output = world
        .program(program.display().to_string())
        .current_dir(world.path(directory))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{arguments:?}: {}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}

/// The example, split, with root modules of the stacks that have back ends of their own.
fn split_example(program: &Path) -> World {
    let world = World::with_shared_cache(GROVE);
    world.copy(&crate::example("split"), "fleet");
    for stack in ["cluster/network", "instances/uni", "instances/academy"] {
        let path = world.path(format!("states/{stack}.tfstate"));
        world.write(
            format!("fleet/stacks/{stack}/backend.tf"),
            format!(
                "terraform {{\n  backend \"local\" {{\n    path = \"{}\"\n  }}\n}}\n",
                path.display()
            ),
        );
    }
    run(&world, program, "fleet/combined", &["init", "-input=false"]);
    let words = "state split --from combined/terraform.tfstate --map rules.yaml --out parts";
    let _ = world.grove(words.split(' ')).success();
    world
}

fn push(world: &World, program: &Path) -> grove_test::Output {
    let program = program.display().to_string();
    let words = [
        "state", "push", "parts", "--source", "combined", "--stacks", "stacks",
    ];
    world.grove(words.into_iter().chain(["--program", &program]))
}
