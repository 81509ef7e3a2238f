//! Values that are code, and keys that do not fit.

use super::{UNI, branches, world_with_remote};
use crate::{edit, example_world};

/// The published key's file is replaced by one that opens nothing.
const OTHER_KEY: &str = "key-of-someone-else.txt";

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn code_in_a_value_is_refused_by_the_name_of_its_key() {
    let world = example_world();
    let trace = world.path("executed");
    edit(
        &world,
        UNI,
        "PLATFORM_NAME: Example University",
        &format!(
            "PLATFORM_NAME: '{{{{ cycler.__init__.__globals__.os.popen(\"id | tee {}\").read() }}}}'",
            trace.display()
        ),
    );
    let out = world.path("out").display().to_string();
    let output = world
        .grove(["render", "alpha/uni", "--no-cache", "--out", &out])
        .exits(1);
    assert!(
        output.stderr.contains("cannot render alpha/uni"),
        "{output}"
    );
    assert!(output.stderr.contains("PLATFORM_NAME"), "{output}");
    assert!(!output.stderr.contains("uid="), "{output}");
    assert!(!trace.exists() && !world.path("out").exists());
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn a_key_that_opens_nothing_is_told_with_the_file_and_what_to_do() {
    let world = world_with_remote();
    edit(&world, "grove.yaml", "published_key: example-key.txt\n", "");
    std::fs::remove_file(world.fleet().join("example-key.txt")).unwrap();
    world
        .repository(&world.fleet())
        .commit("Keep the key elsewhere");
    // An age identity that no file is encrypted to.
    world.write(
        OTHER_KEY,
        "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n",
    );
    let with_key = || {
        world
            .command(["deploy", "alpha/uni"])
            .set("SOPS_AGE_KEY_FILE", world.path(OTHER_KEY))
            .run()
    };
    let output = with_key().exits(1);
    assert!(output.stderr.contains("secrets.sops.yaml"), "{output}");
    assert!(output.stderr.contains("hint"), "{output}");
    assert!(!output.stderr.contains("AGE-SECRET-KEY"), "{output}");
    assert_eq!(branches(&world), "");

    // Neither is the text of a key file that is none shown.
    world.write(OTHER_KEY, "AGE-SECRET-KEY-1NOTAKEY\n");
    let output = with_key().exits(1);
    assert!(output.stderr.contains(OTHER_KEY), "{output}");
    assert!(!output.stderr.contains("NOTAKEY"), "{output}");
    assert_eq!(branches(&world), "");
}
