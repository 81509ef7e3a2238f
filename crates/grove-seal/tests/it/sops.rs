//! Files that `sops` and this crate write for each other.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path};

use grove_exec::Invocation;
use grove_seal::{
    Secret,
    source::{Creation, Identities, Sops, SopsFile, Tree, create, creation_for, new_identity},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{cases, program};

/// A directory with a key, and what speaks for it.
struct World {
    directory: TempDir,
    recipient: String,
    identities: Identities,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (key, recipient) = new_identity();
        fs::write(directory.path().join("key.txt"), key.expose()).unwrap();
        let mut identities = Identities::default();
        identities.add("key.txt", key.expose()).unwrap();
        Self {
            directory,
            recipient,
            identities,
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn sops(&self) -> Invocation {
        Invocation::new(program("GROVE_TEST_SOPS"))
            .cwd(self.directory.path())
            .env("SOPS_AGE_KEY_FILE", self.path("key.txt"))
            .arg("--disable-version-check")
    }

    /// What `sops` reads in a file.
    fn decrypt(&self, text: &str) -> Value {
        let outcome = self
            .sops()
            .args([
                "decrypt",
                "--input-type",
                "yaml",
                "--output-type",
                "json",
                "/dev/stdin",
            ])
            .stdin(text)
            .run()
            .unwrap();
        serde_json::from_slice(&outcome.stdout).unwrap()
    }

    /// A plain YAML text, encrypted by `sops`.
    fn encrypt(&self, plain: &str) -> String {
        self.sops()
            .args([
                "encrypt",
                "--age",
                &self.recipient,
                "--input-type",
                "yaml",
                "--output-type",
                "yaml",
                "/dev/stdin",
            ])
            .stdin(plain)
            .run()
            .and_then(grove_exec::Outcome::text)
            .unwrap()
    }

    fn open(&self, text: &str) -> grove_seal::source::OpenFile {
        SopsFile::parse("s.yaml", text)
            .unwrap()
            .open(&self.identities)
            .unwrap()
    }
}

fn now() -> jiff::Timestamp {
    "2027-01-02T03:04:05Z".parse().unwrap()
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "",
        "\\PC{0,30}",
        "(?s).{0,20}",
        "[a-z\"'\\\\{}#: \n|>-]{0,40}",
        "[0-9.e+-]{1,8}",
        Just("true".to_owned())
    ]
    .prop_filter("what YAML cannot hold", |text| {
        !text.contains(|symbol: char| symbol.is_control() && !"\n\t".contains(symbol))
    })
}

#[test]
#[ignore = "seal: needs sops"]
fn sops_reads_what_is_created_and_changed_here() {
    let world = World::new();
    let values = || prop::collection::btree_map("[A-Z][A-Z0-9_]{0,12}", texts(), 1..12);
    for (index, (instances, cluster)) in cases(&(values(), values()), 6).into_iter().enumerate() {
        let mut tree = Tree::default();
        for (map, values) in [("instances", &instances), ("cluster", &cluster)] {
            for (key, value) in values {
                tree.insert(&[map, key], Tree::Value(value.as_str().into()));
            }
        }
        let text = create(
            "s.yaml",
            &tree,
            &Creation::to(vec![world.recipient.clone()]),
            now(),
        )
        .unwrap();
        assert_eq!(
            world.decrypt(&text),
            json!({ "instances": instances, "cluster": cluster }),
            "{index}"
        );

        // One value changed, one new, one gone.
        let mut expected =
            json!({ "instances": instances, "cluster": cluster, "top": { "new": "ü\n\"" } });
        let mut open = world.open(&text);
        open = open.set(&["top", "new"], &"ü\n\"".into(), now()).unwrap();
        let (first, value) = instances.first_key_value().unwrap();
        open = open
            .set(
                &["instances", first],
                &format!("{value}!").as_str().into(),
                now(),
            )
            .unwrap();
        expected["instances"][first] = format!("{value}!").into();
        let gone = cluster.first_key_value().unwrap().0;
        open = open.remove(&["cluster", gone], now()).unwrap();
        expected["cluster"].as_object_mut().unwrap().remove(gone);
        assert_eq!(world.decrypt(open.text()), expected, "{index}");
    }
}

#[test]
#[ignore = "seal: needs sops"]
fn what_sops_writes_is_read_and_changed_here() {
    let world = World::new();
    for value in cases(
        &prop::collection::btree_map("[A-Z]{1,8}", texts(), 1..10),
        5,
    ) {
        let mut plain = format!("# for {}\n", value.len());
        plain.push_str(&grove_yaml::emit(&json!({
            "instances": value, "NUMBER": 7, "FLOAT": 2.50, "YES": true, "NONE": null, "LIST": ["a", 1], "EMPTY": {},
        })));
        let text = world.encrypt(&plain);
        let open = world.open(&text);
        let read: BTreeMap<String, String> = open
            .values()
            .filter(|(path, _)| path[0] == "instances")
            .map(|(path, value)| (path[1].clone(), value.expose().to_owned()))
            .collect();
        assert_eq!(read, value);
        assert_eq!(open.get(&["NUMBER"]).unwrap().expose(), "7");
        assert_eq!(open.get(&["FLOAT"]).unwrap().expose(), "2.5");
        assert_eq!(open.get(&["YES"]).unwrap().expose(), "True");

        let changed = open.set(&["EMPTY", "A"], &"b".into(), now()).unwrap();
        assert_eq!(
            changed.text().matches("type:comment").count(),
            text.matches("type:comment").count()
        );
        let decrypted = world.decrypt(changed.text());
        assert_eq!(decrypted["instances"], json!(value));
        assert_eq!(decrypted["EMPTY"], json!({ "A": "b" }));
    }
}

#[test]
#[ignore = "seal: needs sops"]
fn rules_of_the_configuration_mean_the_same() {
    let world = World::new();
    let other = new_identity().1;
    let rules = format!(
        "creation_rules:\n  - path_regex: ^clusters/[a-z]+/secrets\\.sops\\.yaml$\n    age: {}\n  - path_regex: \\.yaml\n    age:\n      - {}\n      - {other}\n",
        world.recipient, world.recipient
    );
    fs::write(world.path(".sops.yaml"), &rules).unwrap();
    for name in [
        "clusters/prod/secrets.sops.yaml",
        "clusters/prod/instances/uni/secrets.sops.yaml",
        "other.txt",
    ] {
        let by_sops = world
            .sops()
            .args([
                "encrypt",
                "--filename-override",
                name,
                "--input-type",
                "yaml",
                "--output-type",
                "yaml",
                "/dev/stdin",
            ])
            .stdin("A: b\n")
            .run();
        let here = creation_for(".sops.yaml", &rules, name);
        match by_sops {
            Ok(outcome) => {
                let file = SopsFile::parse(name, &outcome.text().unwrap()).unwrap();
                assert_eq!(file.recipients(), here.unwrap().recipients, "{name}");
            }
            Err(_) => assert!(here.is_err(), "{name}"),
        }
    }
}

/// A `sops` that knows the key, as the user's own would.
fn wrapper(world: &World) -> Sops {
    let path = world.path("sops-with-key");
    let program = program("GROVE_TEST_SOPS");
    let key = world.path("key.txt");
    fs::write(
        &path,
        format!(
            "#!/bin/sh\nSOPS_AGE_KEY_FILE='{}' exec '{}' \"$@\"\n",
            key.display(),
            Path::new(&program).display()
        ),
    )
    .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    Sops::new(path)
}

#[test]
#[ignore = "seal: needs sops"]
fn files_of_other_recipients_go_through_the_program() {
    let world = World::new();
    let (key, other) = new_identity();
    let both = fs::read_to_string(world.path("key.txt")).unwrap() + "\n" + key.expose();
    fs::write(world.path("key.txt"), both).unwrap();
    // Two key groups that are needed both: nothing that this crate opens itself.
    let rules = format!(
        "creation_rules:\n  - shamir_threshold: 2\n    key_groups:\n      - age: [{}]\n      - age: [{other}]\n",
        world.recipient
    );
    let config = world.path(".sops.yaml");
    fs::write(&config, &rules).unwrap();
    let sops = wrapper(&world);
    let creation = creation_for(".sops.yaml", &rules, "s.yaml").unwrap();
    let mut tree = Tree::default();
    tree.insert(&["instances", "A"], Tree::Value("b \"c\"\n".into()));
    tree.insert(&["GONE"], Tree::Value("x".into()));
    assert!(create("s.yaml", &tree, &creation, now()).is_err());
    let text = sops.create("s.yaml", &tree, &config).unwrap();
    let parse = |text: &str| SopsFile::parse("s.yaml", text).unwrap();
    assert!(parse(&text).needs_program().is_some());
    assert!(parse(&text).open(&world.identities).is_err());

    let secret = Secret::from("grüße\n'");
    let text = sops
        .set(&parse(&text), &["instances", "NEW"], &secret)
        .unwrap();
    let text = sops.remove(&parse(&text), &["GONE"]).unwrap();
    let values = sops.open(&parse(&text)).unwrap();
    let expected = [("instances.A", "b \"c\"\n"), ("instances.NEW", "grüße\n'")];
    let values: Vec<_> = values
        .iter()
        .map(|(path, value)| (path.join("."), value.expose()))
        .collect();
    assert_eq!(
        values,
        expected.map(|(path, value)| (path.to_owned(), value))
    );

    // The program's own words where it fails.
    let nobody = Sops::new(program("GROVE_TEST_SOPS"));
    let error = nobody.open(&parse(&text)).unwrap_err().to_string();
    assert!(error.starts_with("s.yaml: "), "{error}");
}
