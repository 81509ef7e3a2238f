use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::{backend::Backend, module::Module, outputs::Outputs, stack::Reference};

const MAIN: &str = "variable \"grove_cluster\" {}\nvariable \"size\" {\n  type = number\n}\nvariable \"key\" {\n  sensitive = true\n}\noutput \"id\" {\n  value = 1\n}\n";

fn stack(name: &str, inputs: &[(&str, Input)], outputs: &[(&str, OutputValue)]) -> Stack {
    let address = Address::of_cluster("prod", name);
    let file = format!("{}/main.tf", address.directory());
    let named = |(name, value): &(&str, OutputValue)| ((*name).to_owned(), value.clone());
    Stack {
        inputs: inputs
            .iter()
            .map(|(name, input)| ((*name).to_owned(), input.clone()))
            .collect(),
        credentials: BTreeMap::new(),
        key: None,
        source: Source::Module {
            module: Module::read([(file.as_str(), MAIN.as_bytes())]).unwrap(),
            files: BTreeMap::from([(file, Arc::from(MAIN.as_bytes()))]),
            is_generated: false,
        },
        problem: None,
        lock: None,
        outputs: (!outputs.is_empty()).then(|| {
            let values = outputs.iter().map(named).collect();
            Outputs::new(
                address.to_string(),
                "lineage".to_owned(),
                1,
                "sha256:0".to_owned(),
                values,
            )
        }),
        address,
    }
}

/// The root module of the stack `app`, among others.
fn made(stacks: Vec<Stack>, secrets: &[(&str, &str)]) -> Result<Root, Blocked> {
    let stacks: BTreeMap<Address, Stack> = stacks
        .into_iter()
        .map(|stack| (stack.address.clone(), stack))
        .collect();
    let secrets = secrets
        .iter()
        .map(|(name, digest)| ((*name).to_owned(), (*digest).to_owned()))
        .collect();
    let facts = BTreeMap::from([
        ("grove_cluster", json!("prod")),
        ("grove_domain", json!("prod.example")),
    ]);
    let storage = Storage {
        backend: Backend::Postgres,
        encryption: None,
    };
    let around = Surroundings {
        fleet: "acme",
        stacks: &stacks,
        storage: &storage,
        facts: &facts,
        secrets: &secrets,
        cluster_secrets: &secrets,
    };
    root(&stacks[&Address::of_cluster("prod", "app")], around)
}

fn output(text: &str) -> Input {
    Input::Output(Reference::parse(text).unwrap())
}

#[test]
fn plain_inputs_are_in_a_file_and_secret_ones_are_not() {
    let plain = OutputValue::Plain { value: json!(3) };
    let sensitive = OutputValue::Sensitive {
        sensitive: "sha256:1".to_owned(),
    };
    let network = stack("network", &[], &[("size", plain), ("key", sensitive)]);
    let inputs = [
        ("size", output("network.size")),
        ("key", output("network.key")),
    ];
    let root = made(vec![network, stack("app", &inputs, &[])], &[]).unwrap();
    let file = &root.files["clusters/prod/stacks/app/grove.auto.tfvars.json"];
    insta::assert_snapshot!(String::from_utf8_lossy(file), @r#"
    {
      "grove_cluster": "prod",
      "size": 3
    }
    "#);
    let from = SecretInput::Output {
        stack: Address::of_cluster("prod", "network"),
        output: "key".to_owned(),
    };
    assert_eq!(root.secret["key"], from);
    assert_eq!(root.key, "acme_prod_app");
}

#[test]
fn the_digest_follows_everything_that_decides_and_nothing_else() {
    let app = |size: i64, secret: &str| {
        let inputs = [
            ("size", Input::Value(json!(size))),
            ("key", Input::Secret("KEY".to_owned())),
        ];
        made(
            vec![stack("app", &inputs, &[])],
            &[("KEY", secret), ("OTHER", "x")],
        )
        .unwrap()
    };
    let first = app(1, "a");
    assert_eq!(first.digest, app(1, "a").digest);
    assert_ne!(first.digest, app(2, "a").digest);
    // A rotated secret is another input, though no value is known here.
    assert_ne!(first.digest, app(1, "b").digest);
    let mut locked = app(1, "a");
    locked.set_lock(b"versions".to_vec());
    assert_ne!(first.digest, locked.digest);
    assert_eq!(locked.lock(), Some(b"versions".as_slice()));
}

#[test]
fn what_is_not_there_blocks_and_is_named() {
    let plain = |value| OutputValue::Plain { value };
    let inputs = |text: &str| vec![("size", output(text))];
    let why = |stacks| made(stacks, &[]).unwrap_err();
    let app = |text: &str| stack("app", &inputs(text), &[]);

    let never = why(vec![stack("network", &[], &[]), app("network.size")]);
    insta::assert_snapshot!(never, @"it waits for `prod:network`, which has no outputs yet");
    insta::assert_snapshot!(never.hint().unwrap(), @"`grove stack apply prod:network` first");
    let given = stack("network", &[], &[("id", plain(json!("x")))]);
    insta::assert_snapshot!(why(vec![given.clone(), app("network.size")]), @"`prod:network` gave no output `size`");
    insta::assert_snapshot!(why(vec![given, app("network.id")]), @"the output `id` of `prod:network` does not fit the variable `size`: it is text, not number");
    insta::assert_snapshot!(why(vec![app("nowhere.id")]), @"it reads `nowhere.id`, which is not there");
}
