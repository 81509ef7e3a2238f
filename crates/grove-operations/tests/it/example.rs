//! The example `deploy`: a program that is not `grove`, on the example fleet with the real Tutor.

use std::path::Path;

use grove_operations::{
    Around,
    deploy::outcome::{Action, Outcome},
    fleet::selection::Selection,
    release::{history, rollback},
};
use grove_test::World;
use serde_json::Value;

const INSTANCE: &str = "alpha/uni";
const FILE: &str = "fleet/clusters/alpha/instances/uni/instance.yaml";

/// Runs it; gives what it printed, by what that is.
fn run(world: &World) -> Value {
    // Cargo builds examples beside the tests.
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("examples/deploy");
    assert!(
        program.exists(),
        "`cargo build --examples` makes {}",
        program.display()
    );
    let output = world
        .program(program)
        .args([&world.fleet(), Path::new(INSTANCE), world.cache()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(r#""doing":"rendering""#), "{said}");
    let mut all = serde_json::Map::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let Value::Object(one) = serde_json::from_str(line).unwrap() else {
            panic!("{line}");
        };
        all.extend(one);
    }
    all.into()
}

fn release(printed: &Value) -> Option<u32> {
    let outcome: Outcome = serde_json::from_value(printed["deployed"].clone()).unwrap();
    assert_eq!(outcome.instances[0].action, Action::Released);
    outcome.instances[0].release
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn a_program_of_its_own_deploys_and_goes_back() {
    let world = World::with_shared_cache("grove");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    world.copy(&examples.join("fleet"), "fleet");
    let edit = |path: &str, from: &str, to: &str| {
        let text = world.read(path);
        assert!(text.contains(from), "{text}");
        world.write(path, text.replace(from, to));
    };
    edit(
        "fleet/grove.yaml",
        "../../target/example-deploy/",
        "../deploy-",
    );
    let fleet = world.fleet();
    world.repository(&fleet).commit("The example fleet");

    let first = run(&world);
    assert_eq!(release(&first), Some(1));
    assert_eq!(first.get("rolled back"), None);

    // A name that was never rendered, so that nothing is taken from the cache: the worker is confined.
    let new = world.root().file_name().unwrap().to_str().unwrap();
    edit(FILE, "Example University", &format!("University of {new}"));
    world.repository(&fleet).commit("Rename");
    let second = run(&world);
    assert_eq!(release(&second), Some(2));
    let back: rollback::Outcome = serde_json::from_value(second["rolled back"].clone()).unwrap();
    assert_eq!((back.from, back.to, back.release), (2, 1, 3));

    // The same from the deploy branch, read by this program.
    let around = Around {
        variables: world.variables(),
        ..Around::new(
            &fleet,
            world.cache(),
            Path::new("/nonexistent"),
            jiff::Timestamp::MAX,
        )
    };
    let request = history::Request {
        selection: Selection::of(INSTANCE),
        ..history::Request::default()
    };
    let read = history::read(&around, &request).unwrap();
    let history::Row::Releases { hold, releases, .. } = &read.instances[0] else {
        panic!("{read:?}");
    };
    let numbers: Vec<u32> = releases.iter().map(|record| record.release).collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert_eq!(releases[0].rollback_of, Some(1));
    assert_ne!(releases[1].tree, releases[2].tree);
    let hold = hold.as_ref().unwrap();
    assert_eq!((hold.release, &hold.left[..]), (3, &[2][..]));
    assert_eq!(hold.by, "Example <example@acme.example>");
    for (record, verb) in releases.iter().zip(["rollback", "deploy", "deploy"]) {
        let id = record.request.as_ref().unwrap().to_string();
        assert!(id.starts_with(&format!("example-{verb}-")), "{id}");
    }
}
