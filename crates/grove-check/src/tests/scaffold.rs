//! Files that `grove new` writes are sound.

use std::collections::{BTreeMap, BTreeSet};

use grove_fleet::{
    Address, Snapshot,
    model::{Environment, Identity},
    scaffold::{
        Files, NewCluster, NewDistribution, NewFleet, NewInfrastructure, NewInstance, cluster,
        distribution, fleet, group, instance,
    },
};

use crate::{Context, Severity, check, text};

fn with(files: &Files) -> Snapshot {
    files
        .iter()
        .fold(Snapshot::default(), |snapshot, (path, text)| {
            snapshot.with(path, text)
        })
}

#[test]
fn a_new_fleet_lacks_only_what_other_commands_make() {
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
    let checked = check(&with(&files), &Context::default());
    let rules = checked
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.rule)
        .collect::<BTreeSet<_>>();
    insta::assert_snapshot!(rules.into_iter().collect::<Vec<_>>().join(" "), @"lock-missing sealing-certificate-missing");
}

#[test]
fn clusters_with_stacks_are_sound_for_every_provider() {
    for provider in ["digitalocean", "aws", "local", "simulated"] {
        let infrastructure = NewInfrastructure {
            state: vec![
                ("backend", "s3".to_owned()),
                ("bucket", "states".to_owned()),
            ],
            region: Some("fra1".to_owned()),
            zones: vec!["a".to_owned(), "b".to_owned()],
            kubernetes_version: Some("1.34".to_owned()),
            ssh_key: Some("operators".to_owned()),
            // It needs a secret at DigitalOcean, which the next step keeps.
            has_data: provider != "digitalocean",
            credentials: Vec::new(),
        };
        let files = cluster(NewCluster {
            name: "prod",
            provider,
            domain: Some("prod.example.org"),
            infrastructure: Some(&infrastructure),
        });
        let snapshot = with(&files)
            .with(
                "grove.yaml",
                "version: 1\nname: acme\ndeploy: {remote: ../deploy}\n",
            )
            .with(
                "clusters/prod/sealing.pem",
                include_str!("../base/sealing.pem"),
            );
        let checked = check(&snapshot, &Context::default());
        let text = text(&checked.findings, &snapshot, false);
        assert_eq!(
            text, "",
            "{provider}:\n{}",
            files["clusters/prod/cluster.yaml"]
        );
        assert!(
            checked
                .fleet
                .stacks
                .values()
                .all(|stack| stack.module().is_some())
        );
        assert!(!checked.fleet.stacks.is_empty());
    }
}
