use std::collections::BTreeMap;

use super::*;
use crate::{
    Address, Snapshot, load,
    model::{Environment, Identity, Requirement},
};

fn whole_fleet() -> Files {
    let mut files = fleet(NewFleet {
        name: "acme",
        remote: "git@git.example.org:acme/deploy-{cluster}.git",
        recipients: &["age1example"],
    });
    files.extend(cluster(NewCluster {
        name: "prod",
        provider: "existing",
        domain: Some("prod.example.org"),
        infrastructure: None,
    }));
    files.extend(distribution(NewDistribution {
        name: "verawood-1",
        release: "verawood",
        tutor: "22.0.3",
        plugins: &BTreeMap::from([("tutor-mfe".to_owned(), "22.1.0".to_owned())]),
    }));
    files.extend(group("uni"));
    files.extend(instance(NewInstance {
        address: &Address::new("prod", "uni"),
        client: "uni",
        environment: Environment::Staging,
        groups: &["uni"],
        ring: Some("canary"),
        distribution: Some("verawood-1"),
        identity: &Identity {
            namespace: "uni".to_owned(),
            id: "hT3vQ8mKzW1pXr6bNc4yLd9s".to_owned(),
        },
        lms: "learn.uni.example",
        plugins: &["mfe"],
        platform_name: "Example: a \"University\"",
    }));
    files
}

fn snapshot(files: &Files) -> Snapshot {
    files
        .iter()
        .fold(Snapshot::default(), |snapshot, (path, text)| {
            snapshot.with(path, text)
        })
}

#[test]
fn a_new_fleet_is_read_back() {
    let fleet = load::fleet(&load::documents(&snapshot(&whole_fleet())));
    let instance = &fleet.instances[&Address::new("prod", "uni")];
    assert_eq!(
        instance.config["PLATFORM_NAME"],
        "Example: a \"University\""
    );
    assert_eq!(instance.ring.as_deref(), Some("canary"));
    assert_eq!(instance.hosts["mfe"], "apps.learn.uni.example");
    assert_eq!(
        fleet.distributions["verawood-1"].tutor,
        Requirement::Version("22.0.3".to_owned())
    );
}

#[test]
fn files_are_commented_and_name_their_schema() {
    let files = whole_fleet();
    assert_eq!(
        files.keys().map(String::as_str).collect::<Vec<_>>(),
        [
            ".sops.yaml",
            "clusters/prod/cluster.yaml",
            "clusters/prod/instances/uni/instance.yaml",
            "distributions/verawood-1.yaml",
            "groups/uni/group.yaml",
            "grove.yaml",
        ]
    );
    for (path, text) in files.iter().filter(|(path, _)| *path != ".sops.yaml") {
        assert!(
            text.starts_with("# yaml-language-server: $schema=https://"),
            "{path}"
        );
    }
    insta::assert_snapshot!(files["clusters/prod/instances/uni/instance.yaml"], @r#"
    # yaml-language-server: $schema=https://grove-platform.org/schemas/instance.schema.json
    client: uni
    environment: staging
    groups: [uni]
    ring: canary
    distribution: verawood-1
    # Written once: what runs is named after it. A change is refused.
    identity: {namespace: uni, id: hT3vQ8mKzW1pXr6bNc4yLd9s}

    # The name of each service that is served.
    hosts:
      lms: learn.uni.example
      cms: studio.learn.uni.example
      mfe: apps.learn.uni.example

    # Tutor plugins that are on, besides those that earlier layers turn on; `null` turns one off.
    plugins: {mfe: {}}

    # Values of Tutor's own keys. Grove gives hosts, plugins, images, the namespace and the ID itself.
    config:
      PLATFORM_NAME: "Example: a \"University\""
    "#);
    insta::assert_snapshot!(files[".sops.yaml"], @r"
    # Who may read which secrets. The first rule whose path matches decides.
    creation_rules:
      - path_regex: secrets\.sops\.yaml$
        key_groups:
          - age: [age1example]
    ");
}

#[test]
fn hostile_words_stay_values() {
    let word = "x\ny: [1] # {";
    let files = instance(NewInstance {
        address: &Address::new("prod", "uni"),
        client: word,
        environment: Environment::Sandbox,
        groups: &[word, "no"],
        ring: Some(word),
        distribution: Some("1e3"),
        identity: &Identity {
            namespace: "null".to_owned(),
            id: "123456789012345678901234".to_owned(),
        },
        lms: word,
        plugins: &["a, b", "on"],
        platform_name: word,
    });
    let parsed = grove_yaml::parse(
        files["clusters/prod/instances/uni/instance.yaml"].as_bytes(),
        grove_yaml::Limits::default(),
    );
    assert_eq!(parsed.problems, []);
    let value = parsed
        .root
        .map(grove_yaml::Node::into_json)
        .unwrap_or_default();
    insta::assert_snapshot!(value, @r#"{"client":"x y: [1] # {","config":{"PLATFORM_NAME":"x y: [1] # {"},"distribution":"1e3","environment":"sandbox","groups":["x y: [1] # {","no"],"hosts":{"cms":"studio.x y: [1] # {","lms":"x y: [1] # {"},"identity":{"id":"123456789012345678901234","namespace":"null"},"plugins":{"a, b":{},"on":{}},"ring":"x y: [1] # {"}"#);
}
