//! Sealed Secrets, opened by the controller's own code.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    fs,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use grove_exec::Invocation;
use grove_seal::{
    Ciphertexts, Form, Secret,
    ciphertexts::{FingerprintKey, Opened, refresh},
    keys::{SealingKey, new_fingerprint_key, new_key_pair},
    seal::{reseal, seal},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::{cases, program};

/// A cluster's keys, and the values of an instance.
struct World {
    directory: TempDir,
    values: BTreeMap<String, String>,
    ciphertexts: Ciphertexts,
}

impl World {
    fn new(values: BTreeMap<String, String>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let pair = new_key_pair(2048, "test", "2027-01-02T03:04:05Z".parse().unwrap()).unwrap();
        fs::write(directory.path().join("key.pem"), pair.private.expose()).unwrap();
        fs::write(directory.path().join("sealing.pem"), &pair.certificate).unwrap();
        let key = SealingKey::from_pem(&pair.certificate).unwrap();
        let wanted = values
            .keys()
            .map(|name| (name.clone(), "sha256:x".to_owned()))
            .collect();
        let mut refreshed = refresh::<Infallible>(None, &wanted, &key, "uni", |names| {
            let all: BTreeSet<_> = values.keys().cloned().collect();
            assert_eq!(*names, all);
            Ok(Opened {
                values: values
                    .iter()
                    .map(|(name, value)| (name.clone(), Secret::from(value.as_str())))
                    .collect(),
                fingerprint_key: FingerprintKey::new(new_fingerprint_key()),
            })
        })
        .unwrap();
        // What fits where is another matter: here every value stands everywhere.
        for entry in refreshed.ciphertexts.secrets.values_mut() {
            entry.form = Form::Word;
        }
        Self {
            directory,
            values,
            ciphertexts: refreshed.ciphertexts,
        }
    }

    /// The content of the Secret that the controller makes of a `SealedSecret`.
    fn open(&self, sealed: &Value) -> (Value, BTreeMap<String, Vec<u8>>) {
        let outcome = Invocation::new(program("GROVE_TEST_KUBESEAL"))
            .args(["--recovery-unseal", "--recovery-private-key"])
            .arg(self.directory.path().join("key.pem"))
            .stdin(sealed.to_string())
            .run()
            .unwrap();
        let secret: Value = serde_json::from_slice(&outcome.stdout).unwrap();
        let data = secret["data"].as_object().unwrap().iter();
        let data = data.map(|(key, value)| {
            (
                key.clone(),
                BASE64_STANDARD
                    .decode(value.as_str().unwrap_or_default())
                    .unwrap(),
            )
        });
        let data = data.collect();
        (secret, data)
    }

    /// A text with its values in their places.
    fn filled(&self, text: &str) -> String {
        let mut rest = text;
        let mut out = String::new();
        'text: while !rest.is_empty() {
            for (name, value) in &self.values {
                if let Some(after) = rest.strip_prefix(&format!("@@{name}@@")) {
                    out.push_str(value);
                    rest = after;
                    continue 'text;
                }
            }
            let symbol = rest.chars().next().unwrap();
            out.push(symbol);
            rest = &rest[symbol.len_utf8()..];
        }
        out
    }
}

/// Values that would be code, were they read as any.
fn values() -> BTreeMap<String, String> {
    [
        ("TOKEN", "aB3"),
        ("EMPTY", ""),
        ("ACTION", "{{ env \"HOME\" }}{{"),
        ("QUOTES", "\"'`\\\n$(x)\u{1}"),
        ("WORDS", "grüße ☃ @@TOKEN@@"),
        ("LONG", "x"),
    ]
    .map(|(name, value)| {
        (
            name.to_owned(),
            if name == "LONG" {
                value.repeat(70_000)
            } else {
                value.to_owned()
            },
        )
    })
    .into()
}

/// A sealed tree of one object.
fn sealed(world: &World, object: Value) -> Value {
    let objects: BTreeMap<_, _> = [("x.yaml".to_owned(), object)].into();
    let sealed = seal(&objects, &world.ciphertexts, "uni").unwrap();
    let again = reseal(&sealed.objects, &world.ciphertexts, "uni").unwrap();
    assert_eq!(again, sealed);
    sealed.objects.into_values().next().unwrap()
}

#[test]
#[ignore = "seal: needs kubeseal"]
fn every_file_comes_out_byte_for_byte() {
    let world = World::new(values());
    let part = prop_oneof![
        6 => "[{}\"'`\\\\$%@#.:/ \n\tA-Za-z-]{0,12}",
        2 => "\\PC{0,6}",
        1 => "(?s).{0,4}",
        2 => prop::sample::select(vec!["{{", "}}", "{", "{{-", "-}}", "{{/*", "*/}}", "{{ index . \"TOKEN\" }}", "{{ env \"HOME\" }}", "{{ b64dec \"eA==\" }}"]).prop_map(str::to_owned),
        4 => prop::sample::select(vec!["@@TOKEN@@", "@@EMPTY@@", "@@ACTION@@", "@@QUOTES@@", "@@WORDS@@"]).prop_map(str::to_owned),
    ];
    let content = prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat());
    let mut data: Map<String, Value> = cases(&content, 600)
        .into_iter()
        .enumerate()
        .map(|(index, text)| (format!("f{index}"), text.into()))
        .collect();
    data.insert(
        "all".to_owned(),
        "@@TOKEN@@@@EMPTY@@@@ACTION@@@@QUOTES@@@@WORDS@@@@LONG@@".into(),
    );
    // A file that is named as a secret is the file.
    data.insert("TOKEN".to_owned(), "not @@TOKEN@@".into());
    let object = sealed(
        &world,
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "c", "labels": {"a": "b"}}, "data": data, "binaryData": {"icon": "AP+A"},
        }),
    );
    let (secret, opened) = world.open(&object);
    for (key, text) in &data {
        let text = text.as_str().unwrap();
        let opened = String::from_utf8_lossy(&opened[key]);
        assert_eq!(opened, world.filled(text), "{key}: {text:?}");
    }
    assert_eq!(opened["icon"], [0, 0xff, 0x80]);
    assert_eq!(secret["immutable"], true);
    assert_eq!(secret["metadata"]["labels"]["a"], "b");
    assert_eq!(secret["metadata"]["namespace"], "uni");
}

#[test]
#[ignore = "seal: needs kubeseal"]
fn one_ciphertext_serves_every_object_of_its_namespace() {
    let world = World::new(values());
    for name in ["one", "two"] {
        let object = sealed(
            &world,
            json!({
                "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
                "metadata": {"name": name}, "stringData": {".dockerconfigjson": "@@QUOTES@@"},
            }),
        );
        let (secret, opened) = world.open(&object);
        assert_eq!(
            opened[".dockerconfigjson"],
            world.values["QUOTES"].as_bytes()
        );
        assert_eq!(secret["type"], "kubernetes.io/dockerconfigjson");
        assert_eq!(secret["immutable"], Value::Null);

        let mut elsewhere = object.clone();
        elsewhere["metadata"]["namespace"] = "other".into();
        let outcome = Invocation::new(program("GROVE_TEST_KUBESEAL"))
            .args(["--recovery-unseal", "--recovery-private-key"])
            .arg(world.directory.path().join("key.pem"))
            .stdin(elsewhere.to_string())
            .run();
        assert!(outcome.is_err());
    }
}

#[test]
#[ignore = "seal: needs kubeseal"]
fn variables_of_containers_open_too() {
    let world = World::new(values());
    let objects: BTreeMap<_, _> = [(
        "deployment-mysql.yaml".to_owned(),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "mysql"},
            "spec": {"template": {"spec": {"containers": [{"env": [{"name": "A", "value": "@@ACTION@@"}]}]}}},
        }),
    )]
    .into();
    let sealed = seal(&objects, &world.ciphertexts, "uni").unwrap();
    let secret = sealed
        .objects
        .values()
        .find(|object| object["kind"] == "SealedSecret")
        .unwrap();
    let reference = &sealed.objects["deployment-mysql.yaml"]["spec"]["template"]["spec"]["containers"]
        [0]["env"][0]["valueFrom"]["secretKeyRef"];
    assert_eq!(reference["name"], secret["metadata"]["name"]);
    let (_, opened) = world.open(secret);
    assert_eq!(
        opened[reference["key"].as_str().unwrap()],
        world.values["ACTION"].as_bytes()
    );
}

#[test]
#[ignore = "seal: needs kubeseal"]
fn the_certificate_serves_kubeseal_itself() {
    let world = World::new(values());
    let sealed = Invocation::new(program("GROVE_TEST_KUBESEAL"))
        .args([
            "--raw",
            "--scope",
            "namespace-wide",
            "--namespace",
            "uni",
            "--from-file=/dev/stdin",
        ])
        .arg("--cert")
        .arg(world.directory.path().join("sealing.pem"))
        .stdin("by kubeseal")
        .run()
        .and_then(grove_exec::Outcome::text)
        .unwrap();
    let (_, opened) = world.open(&json!({
        "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
        "metadata": {
            "name": "x", "namespace": "uni",
            "annotations": {"sealedsecrets.bitnami.com/namespace-wide": "true"},
        },
        "spec": {"encryptedData": {"A": sealed.trim()}, "template": {}},
    }));
    assert_eq!(opened["A"], b"by kubeseal");
}
