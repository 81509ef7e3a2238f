use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{diff, join};

/// A combined state as Grove's predecessor had it: a cluster's parts, a module an instance, and
/// resources of all instances in one module.
fn combined() -> String {
    let object = |key: Value, id: &str, dependencies: &[&str]| {
        let mut object = json!({"schema_version": 0, "attributes": {"id": id},
            "dependencies": dependencies, "private": "eA=="});
        if !key.is_null() {
            object["index_key"] = key;
        }
        object
    };
    let resource = |module: &str, kind: &str, name: &str, instances: Value| {
        json!({"module": module, "mode": "managed", "type": kind, "name": name,
            "provider": "provider[\"registry.opentofu.org/hashicorp/aws\"]", "instances": instances})
    };
    json!({
        "version": 4, "terraform_version": "1.10.10", "serial": 41, "lineage": "combined",
        "outputs": {"vpc_id": {"value": "vpc", "type": "string"}, "stray": {"value": 1, "type": "number"}},
        "resources": [
            resource("module.vpc", "aws_vpc", "main", json!([object(Value::Null, "vpc", &[])])),
            resource("module.instances[\"uni\"]", "aws_s3_bucket", "files",
                json!([object(Value::Null, "uni-files", &["module.vpc.aws_vpc.main"])])),
            resource("module.instances[\"uni\"]", "aws_s3_acl", "files",
                json!([object(Value::Null, "uni-acl", &["module.instances.aws_s3_bucket.files", "module.vpc.aws_vpc.main"])])),
            resource("module.instances[\"uni-2\"]", "aws_s3_bucket", "files",
                json!([object(Value::Null, "uni-2-files", &[])])),
            resource("module.mysql", "mysql_user", "users", json!([
                object(json!("uni"), "u1", &["module.vpc.aws_vpc.main"]),
                object(json!("uni-2"), "u2", &["gone.long_ago"]),
            ])),
        ],
        "check_results": null,
    })
    .to_string()
}

const RULES: &str = r#"
version: 1
rules:
- match: module.instances["{instance}"]
  to: instances/{instance}
  as: module.instance
- match: module.mysql.mysql_user.users["{instance}"]
  to: instances/{instance}
  as: mysql_user.user
- match: module.*
  to: cluster
- output: vpc_*
  to: cluster
"#;

#[test]
fn every_object_is_in_the_part_that_the_rules_say() {
    let text = combined();
    let state = State::parse(&text).unwrap();
    let rules = Rules::parse(RULES, &BTreeMap::new()).unwrap();
    let split = split(state.clone(), &rules, Allow::default()).unwrap();
    let parts: Vec<String> = split
        .parts
        .iter()
        .map(|part| format!("{}\n{}", part.stack, part.state.to_text()))
        .collect();
    insta::assert_snapshot!(parts.concat(), @r#"
    cluster
    {"version":4,"terraform_version":"1.10.10","serial":1,"lineage":"b519fd19-517f-848e-99e7-916068d184e4","outputs":{"vpc_id":{"type":"string","value":"vpc"}},"resources":[{"module":"module.vpc","mode":"managed","type":"aws_vpc","name":"main","provider":"provider[\"registry.opentofu.org/hashicorp/aws\"]","instances":[{"attributes":{"id":"vpc"},"private":"eA==","schema_version":0}]}],"check_results":null}
    instances/uni
    {"version":4,"terraform_version":"1.10.10","serial":1,"lineage":"82dc0ca3-0cf7-88e0-be41-84c87603c882","outputs":{},"resources":[{"mode":"managed","type":"mysql_user","name":"user","provider":"provider[\"registry.opentofu.org/hashicorp/aws\"]","instances":[{"attributes":{"id":"u1"},"private":"eA==","schema_version":0}]},{"module":"module.instance","mode":"managed","type":"aws_s3_acl","name":"files","provider":"provider[\"registry.opentofu.org/hashicorp/aws\"]","instances":[{"attributes":{"id":"uni-acl"},"private":"eA==","schema_version":0,"dependencies":["module.instance.aws_s3_bucket.files"]}]},{"module":"module.instance","mode":"managed","type":"aws_s3_bucket","name":"files","provider":"provider[\"registry.opentofu.org/hashicorp/aws\"]","instances":[{"attributes":{"id":"uni-files"},"private":"eA==","schema_version":0}]}],"check_results":null}
    instances/uni-2
    {"version":4,"terraform_version":"1.10.10","serial":1,"lineage":"9caad795-4e04-8107-afaa-494ea04decd7","outputs":{},"resources":[{"mode":"managed","type":"mysql_user","name":"user","provider":"provider[\"registry.opentofu.org/hashicorp/aws\"]","instances":[{"attributes":{"id":"u2"},"private":"eA==","schema_version":0}]},{"module":"module.instance","mode":"managed","type":"aws_s3_bucket","name":"files","provider":"provider[\"registry.opentofu.org/hashicorp/aws\"]","instances":[{"attributes":{"id":"uni-2-files"},"private":"eA==","schema_version":0}]}],"check_results":null}
    "#);
    insta::assert_snapshot!(serde_json::to_string_pretty(&split.record).unwrap(), @r#"
    {
      "version": 1,
      "lineage": "combined",
      "serial": 41,
      "objects": 6,
      "outputs_left": [
        "stray"
      ],
      "parts": [
        {
          "stack": "cluster",
          "lineage": "b519fd19-517f-848e-99e7-916068d184e4",
          "objects": 1,
          "sha256": "",
          "moved": [],
          "crossings": []
        },
        {
          "stack": "instances/uni",
          "lineage": "82dc0ca3-0cf7-88e0-be41-84c87603c882",
          "objects": 3,
          "sha256": "",
          "moved": [
            {
              "to": "module.instance.aws_s3_bucket.files",
              "from": "module.instances[\"uni\"].aws_s3_bucket.files",
              "dependencies": [
                "module.vpc.aws_vpc.main"
              ]
            },
            {
              "to": "module.instance.aws_s3_acl.files",
              "from": "module.instances[\"uni\"].aws_s3_acl.files",
              "dependencies": [
                "module.instances.aws_s3_bucket.files",
                "module.vpc.aws_vpc.main"
              ]
            },
            {
              "to": "mysql_user.user",
              "from": "module.mysql.mysql_user.users[\"uni\"]",
              "dependencies": [
                "module.vpc.aws_vpc.main"
              ]
            }
          ],
          "crossings": [
            {
              "dependency": "module.vpc.aws_vpc.main",
              "stacks": [
                "cluster"
              ]
            }
          ]
        },
        {
          "stack": "instances/uni-2",
          "lineage": "9caad795-4e04-8107-afaa-494ea04decd7",
          "objects": 2,
          "sha256": "",
          "moved": [
            {
              "to": "module.instance.aws_s3_bucket.files",
              "from": "module.instances[\"uni-2\"].aws_s3_bucket.files"
            },
            {
              "to": "mysql_user.user",
              "from": "module.mysql.mysql_user.users[\"uni-2\"]",
              "dependencies": [
                "gone.long_ago"
              ]
            }
          ],
          "crossings": [
            {
              "dependency": "gone.long_ago",
              "stacks": []
            }
          ]
        }
      ]
    }
    "#);
    let joined = join(&split.parts, &split.record).unwrap();
    assert_eq!(joined.serial, 42);
    let differences = diff(&state, &joined);
    assert_eq!(
        differences,
        [crate::Difference::OnlyFirst {
            address: "output.stray".to_owned()
        }]
    );
}

#[test]
fn the_rules_for_grove_s_predecessor_go_by_the_names_of_instances() {
    let text = combined();
    let state = State::parse(&text).unwrap();
    let names = BTreeSet::from(["uni".to_owned(), "uni-2".to_owned()]);
    let names = BTreeMap::from([("instance".to_owned(), names)]);
    let rules = Rules::parse(crate::LEGACY, &names).unwrap();
    let split = split(state.clone(), &rules, Allow::default()).unwrap();
    let addresses: Vec<String> = split
        .parts
        .iter()
        .flat_map(|part| {
            let resources = part.state.resources.iter();
            resources.map(move |resource| format!("{}: {}", part.stack, resource.address()))
        })
        .collect();
    insta::assert_snapshot!(addresses.join("\n"), @"
    cluster: module.vpc.aws_vpc.main
    instances/uni: module.instances.aws_s3_acl.files
    instances/uni: module.instances.aws_s3_bucket.files
    instances/uni: module.mysql.mysql_user.users
    instances/uni-2: module.instances.aws_s3_bucket.files
    instances/uni-2: module.mysql.mysql_user.users
    ");
    assert_eq!(split.record.outputs_left, Vec::<String>::new());
}

fn refusal(state: &str, rules: &str, allow: Allow) -> String {
    let state = State::parse(state).unwrap();
    match split(
        state,
        &Rules::parse(rules, &BTreeMap::new()).unwrap(),
        allow,
    ) {
        Ok(split) => format!("{} parts", split.parts.len()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_would_lose_or_double_something_is_refused_with_the_address() {
    let allow = Allow::default();
    let rules = |rule: &str| format!("version: 1\nrules:\n{rule}\n");
    let only = |rule: &str| refusal(&combined(), &rules(rule), allow);
    insta::assert_snapshot!(only("- {match: module.vpc, to: cluster}"), @r#"no rule claims 5 objects: module.instances["uni"].aws_s3_bucket.files, module.instances["uni"].aws_s3_acl.files, module.instances["uni-2"].aws_s3_bucket.files, module.mysql.mysql_user.users["uni"], module.mysql.mysql_user.users["uni-2"]"#);
    insta::assert_snapshot!(only("- {match: module.*, to: all, as: .}"), @r#"module.instances["uni"].aws_s3_bucket.files and module.instances["uni-2"].aws_s3_bucket.files would both be aws_s3_bucket.files of `all`"#);
    insta::assert_snapshot!(only("- {match: module.*, to: ../up}"), @"rule 1 makes `../up` of module.vpc.aws_vpc.main, which is no name of a stack");
    insta::assert_snapshot!(only("- {match: module.*, to: all, as: a.b}"), @"rule 1 makes `a.b` of module.vpc.aws_vpc.main, which is no address of the same sort");

    let state = |object: &str| {
        format!(
            r#"{{"version":4,"serial":1,"lineage":"l","resources":[
            {{"mode":"managed","type":"a","name":"b","provider":"p","instances":[{object},{{"index_key":1,"attributes":{{"id":"x"}}}}]}},
            {{"mode":"managed","type":"a","name":"c","provider":"q","instances":[{{"index_key":2,"attributes":{{"id":"y"}}}}]}}]}}"#
        )
    };
    let all = rules("- {match: \"*.*\", to: all}");
    let of = |object: &str, allow| refusal(&state(object), &all, allow);
    insta::assert_snapshot!(of(r#"{"index_key":0,"status":"tainted"}"#, allow), @"1 object cannot be moved as they are: a.b[0] (tainted)");
    insta::assert_snapshot!(of(r#"{"index_key":1,"deposed":"ab12cd34"}"#, allow), @"1 object cannot be moved as they are: a.b[1] (deposed ab12cd34)");
    insta::assert_snapshot!(of(r#"{"index_key":0,"attributes":{"id":"x"}}"#, allow), @"a.b[0] and a.b[1] have one id, `x`");
    let everything = Allow {
        unsettled: true,
        one_id: true,
    };
    for object in [
        r#"{"index_key":0,"status":"tainted"}"#,
        r#"{"index_key":1,"deposed":"ab12cd34"}"#,
        r#"{"index_key":0,"attributes":{"id":"x"}}"#,
    ] {
        assert_eq!(of(object, everything), "1 parts");
    }
    // Two providers cannot be behind one resource.
    let merged = rules("- {match: a.b, to: all}\n- {match: a.c, to: all, as: \"a.b[9]\"}");
    insta::assert_snapshot!(refusal(&state("{\"index_key\":0}"), &merged, allow), @"a.b of another provider and a.c[2] would both be a.b[9] of `all`");
}

/// A state of any shape, with keys that hold what addresses are made of.
fn any_state() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        Just(Value::Null),
        (0..3_i64).prop_map(Value::from),
        prop::sample::select(vec!["uni", "a.b", "x\"]y", "${z}", "ü", ""]).prop_map(Value::from),
    ];
    let name = prop::sample::select(vec!["a", "ab", "b"]);
    let module = prop::collection::vec((name.clone(), key.clone()), 0..3);
    let object = (
        key,
        prop::sample::select(vec!["1", "1.0", "12345678901234567890123", "1e400"]),
        ".{0,6}",
        prop::collection::vec(0..12_usize, 0..4),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
    );
    let resource = (
        module,
        prop::bool::weighted(0.2),
        prop::sample::select(vec!["t_x", "t_y"]),
        name,
        prop::collection::vec(object, 1..4),
    );
    prop::collection::vec(resource, 0..8).prop_map(|resources| {
        let mut seen = BTreeSet::new();
        let mut addresses = Vec::new();
        let mut file = Vec::new();
        for (module, is_data, kind, name, objects) in &resources {
            let module = crate::Module(
                module
                    .iter()
                    .map(|(name, key)| crate::Step {
                        name: (*name).to_owned(),
                        key: key_of(key),
                    })
                    .collect(),
            );
            let address = ResourceAddress {
                module,
                is_data: *is_data,
                kind: (*kind).to_owned(),
                name: (*name).to_owned(),
            };
            if seen.insert(address.to_string()) {
                addresses.push(address.config().to_string());
                file.push((address, objects));
            }
        }
        addresses.push("gone.x".to_owned());
        let file: Vec<String> = file
            .iter()
            .map(|(address, objects)| {
                let mut seen = BTreeSet::new();
                let objects: Vec<String> = objects
                    .iter()
                    .filter(|object| seen.insert((object.0.to_string(), object.5)))
                    .map(|(key, number, text, dependencies, is_tainted, is_deposed)| {
                        let mut on: Vec<&String> = dependencies
                            .iter()
                            .map(|index| &addresses[index % addresses.len()])
                            .collect();
                        on.sort();
                        on.dedup();
                        let part = |name: &str, value: &Value, is: bool| {
                            if is { format!("\"{name}\":{value},") } else { String::new() }
                        };
                        format!(
                            "{{{}{}{}\"attributes\":{{\"n\":{number},\"t\":{}}},\"later\":1,\"dependencies\":{}}}",
                            part("index_key", key, !key.is_null()),
                            part("status", &json!("tainted"), *is_tainted),
                            part("deposed", &json!("ab12cd34"), *is_deposed),
                            json!(text),
                            json!(on),
                        )
                    })
                    .collect();
                format!(
                    "{{\"module\":{},\"mode\":\"{}\",\"type\":\"{}\",\"name\":\"{}\",\"provider\":\"p\",\"instances\":[{}]}}",
                    json!(address.module.to_string()),
                    if address.is_data { "data" } else { "managed" },
                    address.kind,
                    address.name,
                    objects.join(",")
                )
            })
            .collect();
        format!(
            "{{\"version\":4,\"terraform_version\":\"1\",\"serial\":3,\"lineage\":\"l\",\"outputs\":{{\"o\":{{\"value\":1e400}}}},\"resources\":[{}]}}",
            file.join(",\n")
        )
    })
}

fn key_of(key: &Value) -> Option<crate::Key> {
    match key {
        Value::Number(number) => number.as_i64().map(crate::Key::Number),
        Value::String(text) => Some(crate::Key::Text(text.clone())),
        _ => None,
    }
}

/// Rules that send objects to several stacks, some under another address, and the rest to one.
const ANY: &str = r#"
version: 1
rules:
- {match: "module.a[\"{k}\"].module.*", where: {attributes: {t: "*a*"}}, to: other}
- {match: "module.a[0]", to: first, as: module.one}
- {match: "module.ab.t_x.*", to: second}
- {match: ["t_x.a[\"{k}\"]", "module.b"], to: third}
- {output: o, to: rest}
- {match: ["module.*", "*.*", "data.*.*"], to: rest}
"#;

proptest! {
    // `PROPTEST_CASES=100000` runs as many as it says.
    #[test]
    fn splitting_and_joining_is_the_identity_on_content(text in any_state()) {
        let everything = Allow { unsettled: true, one_id: true };
        let state = State::parse(&text).unwrap();
        let rules = Rules::parse(ANY, &BTreeMap::new()).unwrap();
        let split = match split(state.clone(), &rules, everything) {
            Ok(split) => split,
            // Two modules under one name.
            Err(Error::Collision { .. }) => return Ok(()),
            Err(other) => panic!("{other}"),
        };
        let counted: usize = split.parts.iter().map(|part| part.state.len()).sum();
        prop_assert_eq!(counted, state.len());
        // As files, and back.
        let texts: Vec<(String, String)> = split
            .parts
            .iter()
            .map(|part| (part.stack.clone(), part.state.to_text()))
            .collect();
        let parts: Vec<Part<'_>> = texts
            .iter()
            .rev()
            .map(|(stack, text)| Part { stack: stack.clone(), state: State::parse(text).unwrap() })
            .collect();
        let record = serde_json::to_string(&split.record).unwrap();
        let joined = join(&parts, &serde_json::from_str(&record).unwrap()).unwrap();
        let mut lost = diff(&state, &joined);
        if split.record.outputs_left == ["o"] {
            lost.retain(|difference| *difference != crate::Difference::OnlyFirst { address: "output.o".to_owned() });
        }
        prop_assert_eq!(lost, []);
        // The order of the file makes no difference.
        let mut other = state.clone();
        other.resources.reverse();
        for resource in &mut other.resources {
            resource.instances.reverse();
        }
        if let Ok(other) = super::split(other, &rules, everything) {
            for (part, (stack, text)) in other.parts.iter().zip(&texts) {
                prop_assert_eq!((&part.stack, &part.state.to_text()), (stack, text));
            }
        }
    }
}
