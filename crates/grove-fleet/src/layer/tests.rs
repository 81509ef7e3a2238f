use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{Snapshot, load};

/// A fleet in which every layer says something.
fn snapshot() -> Snapshot {
    Snapshot::default()
        .with(
            "grove.yaml",
            "\
version: 1
rings:
  - name: canary
    defaults: {distribution: new, config: {A: ring, R: ring}}
  - {name: general, defaults: {config: {A: general}}}
defaults:
  ring: general
  distribution: old
  hosts: {lms: x.example, mfe: apps.example}
  config:
    A: fleet
    KEEP: 1
    LIST: [1, 2]
    MAP: {a: 1, b: 2}
  identity: {namespace: stolen}
",
        )
        .with(
            "clusters/prod/cluster.yaml",
            "provider: existing\ndefaults:\n  config: {A: cluster, MAP: {b: 3}}\n",
        )
        .with(
            "groups/one/group.yaml",
            "ring: canary\nconfig: {A: one, MAP: {c: 4}, LIST: [3]}\n",
        )
        .with("groups/two/group.yaml", "config:\n  A: two\n  KEEP: null\n")
        .with(
            "clusters/prod/instances/uni/instance.yaml",
            "\
groups: [one, two, none]
identity: {namespace: uni, id: x}
hosts: {lms: learn.example, mfe: null}
config:
  # The last word.
  A: instance
  MAP: {a: null}
domains:
  shop.uni.example: {service: lms}
",
        )
        .with(
            "clusters/prod/instances/plain/instance.yaml",
            "client: plain\n",
        )
        .with(
            "clusters/other/instances/alone/instance.yaml",
            "ring: null\nconfig: text\n",
        )
}

fn merged(instance: &str) -> serde_json::Value {
    let documents = load::documents(&snapshot());
    let (cluster, instance) = instance.split_once('/').unwrap();
    merge(&documents, &Address::new(cluster, instance))
        .unwrap()
        .to_json()
}

#[test]
fn maps_merge_lists_replace_null_removes() {
    assert_eq!(
        merged("prod/uni"),
        json!({
            "groups": ["one", "two", "none"],
            "ring": "canary",
            "distribution": "new",
            "identity": {"namespace": "uni", "id": "x"},
            "hosts": {"lms": "learn.example"},
            "config": {"A": "instance", "R": "ring", "LIST": [3], "MAP": {"b": 3, "c": 4}},
            "domains": {"shop.uni.example": {"service": "lms"}},
        })
    );
}

#[test]
fn the_ring_comes_from_the_layers_and_lies_under_the_cluster() {
    assert_eq!(merged("prod/plain")["config"]["A"], "cluster");
    assert_eq!(merged("prod/plain")["ring"], "general");
    // `null` takes the ring away; a text replaces a map.
    let alone = merged("other/alone");
    assert_eq!(alone.get("ring"), None);
    assert_eq!(alone["config"], "text");
}

#[test]
fn layers_cannot_give_what_only_an_instance_has() {
    assert_eq!(merged("prod/plain").get("identity"), None);
}

#[test]
fn every_value_knows_who_said_it_last() {
    let documents = load::documents(&snapshot());
    let merged = merge(&documents, &Address::new("prod", "uni")).unwrap();
    let said = |path: &[&str]| {
        let found = merged.at(path).unwrap();
        let text = std::str::from_utf8(&found.document.bytes).unwrap();
        let key = found.key_span.unwrap();
        (found.document.path.as_str(), &text[key.start..key.end])
    };
    assert_eq!(said(&["config", "R"]), ("grove.yaml", "R"));
    assert_eq!(said(&["config", "LIST"]), ("groups/one/group.yaml", "LIST"));
    assert_eq!(
        said(&["config", "MAP", "b"]),
        ("clusters/prod/cluster.yaml", "b")
    );
    assert_eq!(
        said(&["hosts", "lms"]),
        ("clusters/prod/instances/uni/instance.yaml", "lms")
    );
}

fn explained(path: &str) -> String {
    let documents = load::documents(&snapshot());
    match explain(&documents, &Address::new("prod", "uni"), path) {
        Err(error) => format!("{error}; {}", error.hint().unwrap_or_default()),
        Ok(explanation) => {
            let value = explanation
                .value
                .map_or("(nothing)".to_owned(), |value| value.to_string());
            explanation.layers.iter().rev().fold(value, |out, layer| {
                let Place { file, line, column } = &layer.place;
                let effect = layer.effect;
                format!(
                    "{out}\n{}: {} at {file}:{line}:{column} {effect:?}",
                    layer.layer, layer.value
                )
            })
        }
    }
}

#[test]
fn explains_values() {
    insta::assert_snapshot!(explained("config.A"), @r#"
    "instance"
    instance: "instance" at clusters/prod/instances/uni/instance.yaml:6:3 Used
    group two: "two" at groups/two/group.yaml:2:3 Overridden
    group one: "one" at groups/one/group.yaml:2:10 Overridden
    cluster prod: "cluster" at clusters/prod/cluster.yaml:3:12 Overridden
    ring canary: "ring" at grove.yaml:4:44 Overridden
    fleet defaults: "fleet" at grove.yaml:11:5 Overridden
    "#);
    insta::assert_snapshot!(explained("config.MAP"), @r#"
    {"b":3,"c":4}
    instance: {"a":null} at clusters/prod/instances/uni/instance.yaml:7:3 Used
    group one: {"c":4} at groups/one/group.yaml:2:18 Used
    cluster prod: {"b":3} at clusters/prod/cluster.yaml:3:24 Used
    fleet defaults: {"a":1,"b":2} at grove.yaml:14:5 Used
    "#);
    insta::assert_snapshot!(explained("config.KEEP"), @"
    (nothing)
    group two: null at groups/two/group.yaml:3:3 Removed
    fleet defaults: 1 at grove.yaml:12:5 Overridden
    ");
    insta::assert_snapshot!(explained("distribution"), @r#"
    "new"
    ring canary: "new" at grove.yaml:4:16 Used
    fleet defaults: "old" at grove.yaml:8:3 Overridden
    "#);
    insta::assert_snapshot!(explained(r#"domains."shop.uni.example".service"#), @r#"
    "lms"
    instance: "lms" at clusters/prod/instances/uni/instance.yaml:9:22 Used
    "#);
}

#[test]
fn explains_what_is_not_there() {
    insta::assert_snapshot!(explained("config.LISTS"), @"no layer of `prod/uni` says anything about `config.LISTS`; there is `config.LIST`");
    insta::assert_snapshot!(explained("confg.A"), @"no layer of `prod/uni` says anything about `confg.A`; there is `config.A`");
    insta::assert_snapshot!(explained("config.A.b"), @r#"
    (nothing)
    instance: "instance" at clusters/prod/instances/uni/instance.yaml:6:3 Removed
    group two: "two" at groups/two/group.yaml:2:3 Overridden
    group one: "one" at groups/one/group.yaml:2:10 Overridden
    cluster prod: "cluster" at clusters/prod/cluster.yaml:3:12 Overridden
    ring canary: "ring" at grove.yaml:4:44 Overridden
    fleet defaults: "fleet" at grove.yaml:11:5 Overridden
    "#);
    let documents = load::documents(&snapshot());
    let error = explain(&documents, &Address::new("prod", "unl"), "").unwrap_err();
    insta::assert_snapshot!(format!("{error}; {}", error.hint().unwrap()), @"there is no instance `prod/unl`; there is `prod/uni`");
}

#[test]
fn an_explanation_is_data() {
    let documents = load::documents(&snapshot());
    let explanation = explain(&documents, &Address::new("prod", "plain"), "ring").unwrap();
    insta::assert_snapshot!(serde_json::to_string(&explanation).unwrap(), @r#"{"instance":"prod/plain","path":"ring","value":"general","layers":[{"layer":"fleet defaults","file":"grove.yaml","line":7,"column":3,"value":"general","effect":"used"}]}"#);
}

/// The values of a layer: few keys, so that layers meet.
fn layer_values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<u8>().prop_map(|number| json!(number)),
        Just(json!([1])),
        Just(json!({})),
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        proptest::collection::btree_map("[abc]", inner, 0..3).prop_map(|map| json!(map))
    });
    proptest::collection::btree_map("[abc]", value, 0..3).prop_map(|map| json!(map))
}

/// Lays one plain value over another, by the rules in their shortest form.
fn lay(under: &mut serde_json::Value, over: &serde_json::Value) {
    let Some(over) = over.as_object() else {
        *under = over.clone();
        return;
    };
    if !under.is_object() {
        *under = json!({});
    }
    let under = under.as_object_mut().unwrap();
    for (key, value) in over {
        if value.is_null() {
            under.remove(key);
        } else {
            lay(under.entry(key).or_insert(json!(null)), value);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn merging_and_explaining_agree(
        layers in proptest::collection::vec(layer_values(), 4),
        path in proptest::collection::vec("[abc]", 0..3),
    ) {
        let config = |value: &serde_json::Value| grove_yaml::emit(&json!({"config": value}));
        let snapshot = Snapshot::default()
            .with("grove.yaml", &grove_yaml::emit(&json!({"defaults": {"config": layers[0]}})))
            .with("clusters/c/cluster.yaml", &grove_yaml::emit(&json!({"defaults": {"config": layers[1]}})))
            .with("groups/g/group.yaml", &config(&layers[2]))
            .with("clusters/c/instances/i/instance.yaml", &grove_yaml::emit(&json!({"groups": ["g"], "config": layers[3]})));
        let documents = load::documents(&snapshot);
        let address = Address::new("c", "i");
        let mut expected = json!(null);
        for layer in &layers {
            lay(&mut expected, layer);
        }
        let merged = merge(&documents, &address).unwrap().to_json();
        prop_assert_eq!(&merged["config"], &expected);

        let path = std::iter::once("config".to_owned()).chain(path).collect::<Vec<_>>().join(".");
        if let Ok(explanation) = explain(&documents, &address, &path) {
            let mut used = None;
            for layer in explanation.layers.iter().filter(|layer| layer.effect == Effect::Used) {
                lay(used.get_or_insert(json!(null)), &layer.value);
            }
            prop_assert_eq!(used, explanation.value);
        }
    }
}
