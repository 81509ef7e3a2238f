//! What an operator has without Grove: Tutor's command line and Kustomize, run for a configuration
//! of ours.

use std::{collections::BTreeMap, fs, path::PathBuf};

use grove_render::TutorInput;
use grove_test::World;
use grove_tutor::{Cache, Environment};
use serde_json::Value;

use crate::GROVE;

/// The cache of a world, as the command uses it.
pub(crate) fn cache(world: &World) -> Cache {
    Cache {
        root: world.cache().to_owned(),
        launcher: PathBuf::from(GROVE),
    }
}

/// Runs `tutor config save` and Kustomize. In `config` stand further keys, or other values;
/// `replace` is done in the saved files before Kustomize reads them.
pub(crate) fn objects(
    world: &World,
    environment: &Environment,
    input: &TutorInput,
    config: &BTreeMap<String, String>,
    replace: &BTreeMap<String, String>,
) -> Vec<Value> {
    let scratch = tempfile::tempdir().unwrap();
    let (root, plugins) = (scratch.path().join("root"), scratch.path().join("plugins"));
    fs::create_dir_all(&root).unwrap();
    fs::create_dir_all(&plugins).unwrap();
    let mut all = input.config.clone();
    all.insert("PLUGINS".to_owned(), input.plugins.clone().into());
    all.extend(
        config
            .iter()
            .map(|(key, value)| (key.clone(), value.clone().into())),
    );
    fs::write(
        root.join("config.yml"),
        grove_yaml::emit(&Value::Object(all)),
    )
    .unwrap();
    for (name, content) in &input.plugin_files {
        fs::write(plugins.join(name), content).unwrap();
    }
    let mut tutor = world.program(environment.root.join("bin/tutor"));
    tutor
        .env("TUTOR_ROOT", &root)
        .env("TUTOR_PLUGINS_ROOT", &plugins)
        .args(["config", "save", "--env-only"]);
    run(&mut tutor);
    let saved = root.join("env");
    for directory in ["apps", "plugins", "k8s"] {
        for file in files(&saved.join(directory)) {
            let Ok(text) = fs::read_to_string(&file) else {
                continue;
            };
            let new = replace
                .iter()
                .fold(text.clone(), |text, (from, to)| text.replace(from, to));
            if new != text {
                fs::write(&file, new).unwrap();
            }
        }
    }
    let standalone = grove_exec::find("kustomize").is_some();
    let mut kustomize = world.program(if standalone { "kustomize" } else { "kubectl" });
    kustomize
        .arg(if standalone { "build" } else { "kustomize" })
        .arg(&saved);
    grove_yaml::parse_all(&run(&mut kustomize)).unwrap()
}

fn run(command: &mut assert_cmd::Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn files(directory: &std::path::Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
