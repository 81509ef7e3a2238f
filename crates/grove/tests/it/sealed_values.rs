//! What a cluster opens is, byte for byte, what Tutor writes with the real values.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use base64::Engine as _;
use grove_fleet::{Address, load};
use serde_json::Value;

use crate::{edit, example_world, peer};

/// An instance without settings of its own, which Tutor's command line could not be told.
const INSTANCE: &str = "beta/academy-labs";

#[test]
#[ignore = "main-path: needs the package index, kustomize and kubeseal"]
fn opened_files_are_what_tutor_writes() {
    let kubeseal =
        PathBuf::from(std::env::var_os("GROVE_TEST_KUBESEAL").expect("GROVE_TEST_KUBESEAL is set"));
    let world = example_world();
    // What no file of a fleet should rely on: template signs, quotes, several lines.
    edit(
        &world,
        "clusters/beta/instances/academy-labs/instance.yaml",
        "PLATFORM_NAME: Academy Labs",
        "PLATFORM_NAME: 'Labs {% raw %}{{ .x }} {{\"y\"}} }} {{`z`}}{% endraw %} ünï $(HOME) $$(X)'",
    );
    world.repository(&world.fleet()).commit("A name with signs");
    let _ = world
        .grove(["deploy", INSTANCE, "--create-remote"])
        .success();

    // The private key of the cluster opens what was deployed.
    let key = world.path("sealing.key");
    let snapshot = grove_release::worktree(&world.fleet()).unwrap();
    let fleet = load::fleet(&load::documents(&snapshot));
    let secret = |file: &str, path: &[String]| {
        let text = world.read(format!("fleet/{file}"));
        let mut identities = grove_seal::source::Identities::default();
        identities
            .add("example", &world.read("fleet/example-key.txt"))
            .unwrap();
        let open = grove_seal::source::SopsFile::parse(file, &text)
            .unwrap()
            .open(&identities)
            .unwrap();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        open.get(&path).unwrap().expose().to_owned()
    };
    let reference = &fleet.clusters["beta"].secrets["SEALING_PRIVATE_KEY"];
    std::fs::write(&key, secret(&reference.file, &reference.path)).unwrap();

    let shown = world
        .grove(["show", INSTANCE, "--objects", "--format", "json"])
        .success();
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    let mut opened = BTreeMap::new();
    for object in shown["objects"].as_object().unwrap().values() {
        if object["kind"] != "SealedSecret" || object["spec"]["template"]["immutable"] != true {
            continue;
        }
        let name = object["metadata"]["annotations"]["grove-platform.org/name"]
            .as_str()
            .unwrap();
        let output = world
            .program(&kubeseal)
            .args([
                "--recovery-unseal",
                "--format",
                "json",
                "--recovery-private-key",
            ])
            .arg(&key)
            .write_stdin(object.to_string())
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}");
        let secret: Value = serde_json::from_slice(&output.stdout).unwrap();
        opened.insert(name.to_owned(), secret["data"].clone());
    }

    // The same with Tutor's command line and the real values.
    let address = Address::new("beta", "academy-labs");
    let checked = grove_check::check(&snapshot, &grove_check::Context::default());
    let instance = &checked.fleet.instances[&address];
    let input = grove_render::request(instance).unwrap();
    assert!(input.patches.is_empty(), "{:?}", input.patches);
    let lock = checked.fleet.distributions[&instance.distribution]
        .lock
        .clone()
        .unwrap();
    let environment = Arc::new(grove_tutor::environment(&lock, &peer::cache(&world), &()).unwrap());
    let values: BTreeMap<String, String> = instance
        .secrets
        .iter()
        .map(|(name, reference)| (name.clone(), secret(&reference.file, &reference.path)))
        .collect();
    let theirs = peer::objects(&world, &environment, &input, &values, &BTreeMap::new());
    let mut compared = 0;
    for object in theirs.iter().filter(|object| object["kind"] == "ConfigMap") {
        let name = object["metadata"]["name"].as_str().unwrap();
        let name = name.rsplit_once('-').unwrap().0;
        let Some(files) = opened.get(name) else {
            continue;
        };
        for (file, content) in object["data"].as_object().unwrap() {
            if file == "development.py" || file == "test.py" {
                continue;
            }
            let opened = files
                .get(file)
                .unwrap_or_else(|| panic!("{name} has no {file}"));
            // Go writes no bytes as null.
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(opened.as_str().unwrap_or_default())
                .unwrap();
            assert_eq!(
                String::from_utf8(bytes).unwrap(),
                content.as_str().unwrap(),
                "{name} {file}"
            );
            compared += 1;
        }
    }
    assert!(compared >= 5, "{compared} files of {:?}", opened.keys());
}
