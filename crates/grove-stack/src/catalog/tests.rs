use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::{module::Module, root::FACTS};

/// What Harmony's modules declare, from their source at the commit.
#[derive(Deserialize)]
struct Harmony {
    commit: String,
    modules: BTreeMap<String, Declared>,
}

#[derive(Deserialize)]
struct Declared {
    required: Vec<String>,
    optional: Vec<String>,
    outputs: Vec<String>,
}

/// Every stack, as `provider/stack`, and its text.
fn all() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for provider in STACKS.dirs().filter_map(|dir| dir.path().to_str()) {
        for of_instance in [false, true] {
            for name in names(provider, of_instance) {
                let files = files(provider, of_instance, name).unwrap();
                let text: Vec<&str> = files
                    .map(|(_, bytes)| std::str::from_utf8(bytes).unwrap())
                    .collect();
                found.push((format!("{provider}/{name}"), text.join("\n")));
            }
        }
    }
    found
}

#[test]
fn every_provider_has_its_stacks() {
    let all: Vec<String> = all().into_iter().map(|(name, _)| name).collect();
    insta::assert_snapshot!(all.join(" "), @"aws/cluster aws/data aws/network aws/instance digitalocean/cluster digitalocean/data digitalocean/network digitalocean/instance local/cluster simulated/cluster simulated/data simulated/network simulated/instance");
    assert_eq!(names("aws", true), ["instance"]);
    assert!(files("existing", false, "network").is_none());
    assert!(files("aws", false, "instances").is_none());
}

#[test]
fn modules_of_harmony_get_what_they_declare_and_give_what_is_read() {
    let harmony: Harmony = serde_json::from_str(include_str!("harmony.json")).unwrap();
    let mut calls = 0;
    for (name, text) in all() {
        let module = Module::read([("main.tf", text.as_bytes())]).unwrap();
        for (variable, declared) in &module.variables {
            let is_fact = FACTS.contains(&variable.as_str());
            assert!(
                is_fact || !variable.starts_with("grove_"),
                "{name}: nobody gives {variable}"
            );
            assert!(
                !declared.is_required
                    || is_fact
                    || declared.description.is_some()
                    || name.starts_with("simulated/"),
                "{name}: {variable} must be given and says nothing of itself"
            );
        }
        for (call_name, call) in &module.calls {
            let source = call.source.as_deref().unwrap();
            let (_, rest) = source.split_once("//terraform/modules/").unwrap();
            let (path, commit) = rest.split_once("?ref=").unwrap();
            assert_eq!(commit, harmony.commit, "{name}");
            let declared = &harmony.modules[path];
            for argument in &call.arguments {
                let is_declared =
                    declared.required.contains(argument) || declared.optional.contains(argument);
                assert!(is_declared, "{name}: {path} declares no {argument}");
            }
            for required in &declared.required {
                assert!(
                    call.arguments.contains(required),
                    "{name}: {path} lacks {required}"
                );
            }
            let prefix = format!("module.{call_name}.");
            for (at, _) in text.match_indices(&prefix) {
                let output: String = text[at + prefix.len()..]
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                assert!(
                    declared.outputs.contains(&output),
                    "{name}: {path} gives no {output}"
                );
            }
            calls += 1;
        }
    }
    assert!(calls >= 8, "{calls}");
}
