//! What the controller opens, and what a rotation restarts.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use base64::Engine as _;
use grove_fleet::Address;
use serde_json::Value;

use crate::{Site, peer};

const INSTANCE: &str = "beta/academy-labs";
const NAMESPACE: &str = "academy-labs";

/// The opened Secrets by logical name, of the objects that pods of today read.
fn opened(site: &Site) -> BTreeMap<String, Value> {
    let sealed = site.objects("beta", "sealedsecrets.bitnami.com", NAMESPACE);
    let secrets: BTreeMap<String, Value> = site
        .objects("beta", "secrets", NAMESPACE)
        .into_iter()
        .map(|secret| {
            (
                secret["metadata"]["name"].as_str().unwrap().to_owned(),
                secret,
            )
        })
        .collect();
    sealed
        .iter()
        .filter(|object| object["spec"]["template"]["immutable"] == true)
        .filter(|object| object["metadata"]["annotations"]["grove-platform.org/retained"].is_null())
        .map(|object| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let secret = &secrets[object["metadata"]["name"].as_str().unwrap()];
            assert_eq!(secret["immutable"], true);
            (
                text(&object["metadata"]["annotations"]["grove-platform.org/name"]),
                secret["data"].clone(),
            )
        })
        .collect()
}

fn decoded(value: &Value) -> String {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(value.as_str().unwrap_or_default())
        .unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Pods of Deployments, by name.
fn pods(site: &Site) -> BTreeSet<String> {
    site.objects("beta", "pods", NAMESPACE)
        .into_iter()
        .filter(|pod| pod["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet")
        .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null())
        .map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}

fn set_password(site: &Site, value: &str) {
    let _ = site
        .world
        .command(["secret", "set", INSTANCE, "SMTP_PASSWORD"])
        .stdin(value)
        .run()
        .success();
    site.commit("Rotate the mail password");
}

#[test]
#[ignore = "e2e: needs the control plane"]
fn the_controller_opens_what_tutor_writes_and_a_rotation_restarts_its_readers() {
    let site = Site::bootstrapped(&["beta"]);
    set_password(&site, "first-Value-4u");
    site.deploy(INSTANCE, &[]);

    // Byte for byte what Tutor's command line writes with the real values.
    let snapshot = grove_release::worktree(&site.world.fleet()).unwrap();
    let checked = grove_check::check(&snapshot, &grove_check::Context::default());
    let address = Address::new("beta", "academy-labs");
    let instance = &checked.fleet.instances[&address];
    let mut identities = grove_seal::source::Identities::default();
    identities
        .add("example", &site.world.read("fleet/example-key.txt"))
        .unwrap();
    let values: BTreeMap<String, String> = instance
        .secrets
        .iter()
        .map(|(name, reference)| {
            let text = site.world.read(format!("fleet/{}", reference.file));
            let open = grove_seal::source::SopsFile::parse(&reference.file, &text)
                .unwrap()
                .open(&identities)
                .unwrap();
            let path: Vec<&str> = reference.path.iter().map(String::as_str).collect();
            (name.clone(), open.get(&path).unwrap().expose().to_owned())
        })
        .collect();
    let input = grove_render::request(instance).unwrap();
    let lock = checked.fleet.distributions[&instance.distribution]
        .lock
        .clone()
        .unwrap();
    let environment =
        Arc::new(grove_tutor::environment(&lock, &peer::cache(&site.world), &()).unwrap());
    let theirs = peer::objects(&site.world, &environment, &input, &values, &BTreeMap::new());
    let secrets = opened(&site);
    let mut compared = 0;
    for object in theirs.iter().filter(|object| object["kind"] == "ConfigMap") {
        let name = object["metadata"]["name"]
            .as_str()
            .unwrap()
            .rsplit_once('-')
            .unwrap()
            .0;
        let Some(files) = secrets.get(name) else {
            continue;
        };
        for (file, content) in object["data"].as_object().unwrap() {
            if file != "development.py" && file != "test.py" {
                assert_eq!(
                    decoded(&files[file]),
                    content.as_str().unwrap(),
                    "{name} {file}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared >= 5, "{compared} files of {:?}", secrets.keys());

    // A rotated value restarts its readers and nothing else.
    site.edit(
        "clusters/beta/instances/academy-labs/instance.yaml",
        "PLATFORM_NAME: Academy Labs",
        "PLATFORM_NAME: Academy Laboratories",
    );
    site.commit("Another name");
    site.deploy(INSTANCE, &[]);
    let before = pods(&site);
    set_password(&site, "another-Value-4u");
    site.deploy(INSTANCE, &[]);
    site.until(30, "pods of the release before are gone", || {
        let now = pods(&site);
        let of = |name: &str, pods: &BTreeSet<String>| {
            pods.iter()
                .filter(|pod| pod.starts_with(&format!("{name}-")))
                .count()
        };
        ["redis", "lms", "cms-worker", "caddy"]
            .iter()
            .all(|name| of(name, &now) == of(name, &before))
    });
    let after = pods(&site);
    let stayed = |name: &str| before.intersection(&after).any(|pod| pod.starts_with(name));
    assert!(
        stayed("redis") && stayed("mongodb") && stayed("caddy"),
        "{before:?}\n{after:?}"
    );
    let gone: Vec<&String> = before.difference(&after).collect();
    assert!(
        gone.iter().any(|pod| pod.starts_with("lms-"))
            && gone
                .iter()
                .all(|pod| pod.starts_with("lms-") || pod.starts_with("cms-")),
        "{gone:?}"
    );
    let holds = |site: &Site| {
        opened(site).values().any(|files| {
            files
                .as_object()
                .unwrap()
                .values()
                .any(|file| decoded(file).contains("another-Value-4u"))
        })
    };
    assert!(holds(&site));

    // A rollback past the rotation still runs with today's value.
    let back = site.json(&["rollback", INSTANCE, "--to", "1", "--wait"]);
    assert_eq!(back["waits"][0]["ended"], "healthy", "{back}");
    assert!(holds(&site));
    let config = opened(&site);
    let text: Vec<String> = config
        .values()
        .flat_map(|files| files.as_object().unwrap().values())
        .map(decoded)
        .collect();
    assert!(
        text.iter().any(|file| file.contains("Academy Labs"))
            && !text
                .iter()
                .any(|file| file.contains("Academy Laboratories"))
    );
}

/// Deletes every opened Secret of an instance, and waits until the controller has opened them again.
fn open_again(site: &Site, namespace: &str) {
    let names = || -> BTreeMap<String, Value> {
        site.objects("alpha", "secrets", namespace)
            .into_iter()
            .filter(|secret| secret["type"] == "Opaque")
            .map(|secret| {
                let name = secret["metadata"]["name"].as_str().unwrap().to_owned();
                (name, secret["data"].clone())
            })
            .collect()
    };
    let before = names();
    assert!(before.len() > 3, "{before:?}");
    site.kubectl(
        "alpha",
        &[
            "delete",
            "secrets",
            "-n",
            namespace,
            "--field-selector=type=Opaque",
        ],
    );
    site.until(60, "everything is opened again", || names() == before);
}

#[test]
#[ignore = "e2e: needs the control plane"]
fn a_rotated_sealing_key_opens_what_is_sealed_to_it_and_what_was_before() {
    let mut site = Site::bootstrapped(&["alpha"]);
    site.deploy("alpha/uni-next", &[]);
    let pods = |site: &Site| {
        let mut names: Vec<String> = site
            .objects("alpha", "pods", "uni-next")
            .iter()
            .filter(|pod| pod["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet")
            .map(|pod| pod["metadata"]["name"].to_string())
            .collect();
        names.sort();
        names
    };
    let sealed = |site: &Site| {
        site.kubectl(
            "alpha",
            &[
                "get",
                "sealedsecrets.bitnami.com",
                "-n",
                "uni-next",
                "-o",
                "jsonpath={.items[*].spec.encryptedData}",
            ],
        )
    };
    let before = sealed(&site);

    let certificate = site.world.read("fleet/clusters/alpha/sealing.pem");
    let _ = site.world.grove(["seal", "rotate", "alpha"]).success();
    let rotated = site.world.read("fleet/clusters/alpha/sealing.pem");
    assert_ne!(certificate, rotated);
    // Interrupted between its two files: refused, and mended by the same command.
    site.world
        .write("fleet/clusters/alpha/sealing.pem", &certificate);
    let refused = site.world.grove(["cluster", "bootstrap", "alpha"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.stderr.contains("grove seal rotate"), "{refused}");
    let _ = site.world.grove(["seal", "rotate", "alpha"]).success();
    assert_eq!(site.world.read("fleet/clusters/alpha/sealing.pem"), rotated);
    site.commit("Another sealing key");

    // The older key opens what the cluster has.
    site.bootstrap("alpha");
    let keys = site.kubectl("alpha", &["get", "secrets", "-n", "sealed-secrets"]);
    assert_eq!(keys.matches("kubernetes.io/tls").count(), 2, "{keys}");
    open_again(&site, "uni-next");
    assert_eq!(sealed(&site), before);

    // So it does in another cluster, after this one is lost.
    site.lose();
    site.forget("alpha");
    site.bootstrap("alpha");
    site.commit("Another cluster");
    site.until_healthy("alpha", "alpha-uni-next");
    assert_eq!(sealed(&site), before);
    let served = pods(&site);

    // The next deploy seals with the new one, and restarts nothing.
    let again = site.deploy("alpha/uni-next", &[]);
    assert_eq!(again["instances"][0]["release"], 2, "{again}");
    assert_ne!(sealed(&site), before);
    open_again(&site, "uni-next");
    assert_eq!(pods(&site), served);
}
