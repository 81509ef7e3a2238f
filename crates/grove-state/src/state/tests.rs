use super::*;

fn message(text: &str) -> String {
    match State::parse(text) {
        Ok(_) => "read".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_not_known_is_carried_along() {
    let text = r#"{
  "version": 4, "terraform_version": "1.10.10", "serial": 7, "lineage": "a-b",
  "outputs": {"big": {"value": 123456789012345678901234567890.10, "type": "number"}},
  "resources": [
    {"module": "module.a[\"x y\"]", "mode": "managed", "type": "aws_x", "name": "y",
     "provider": "provider[\"registry.opentofu.org/hashicorp/aws\"]", "later": [1, 2],
     "instances": [
      {"index_key": 3, "schema_version": 1, "attributes": {"n": 1e400, "text": "a  \" b\\"}, "private": "eA==",
       "sensitive_attributes": [], "status": "tainted", "dependencies": ["aws_z.y"], "new": {"a": null}},
      {"deposed": "ab12cd34", "schema_version": 1, "attributes_flat": {"a": "b"}}
     ]},
    {"mode": "data", "type": "aws_z", "name": "y", "provider": "p", "instances": []}
  ],
  "check_results": [{"object_kind": "check"}], "future": {"x": 1}
}"#;
    let state = State::parse(text).unwrap();
    insta::assert_snapshot!(state.to_text(), @r#"{"version":4,"terraform_version":"1.10.10","serial":7,"lineage":"a-b","outputs":{"big":{"value":123456789012345678901234567890.10,"type":"number"}},"resources":[{"module":"module.a[\"x y\"]","mode":"managed","type":"aws_x","name":"y","provider":"provider[\"registry.opentofu.org/hashicorp/aws\"]","later":[1,2],"instances":[{"index_key":3,"status":"tainted","schema_version":1,"attributes":{"n":1e400,"text":"a  \" b\\"},"private":"eA==","sensitive_attributes":[],"new":{"a":null},"dependencies":["aws_z.y"]},{"deposed":"ab12cd34","schema_version":1,"attributes_flat":{"a":"b"}}]},{"mode":"data","type":"aws_z","name":"y","provider":"p","instances":[]}],"future":{"x":1},"check_results":null}"#);
    let again = state.to_text();
    assert_eq!(State::parse(&again).unwrap().to_text(), again);
    assert_eq!(state.len(), 2);
}

#[test]
fn what_is_no_state_is_refused_with_the_reason() {
    insta::assert_snapshot!(message(""), @"this is no state: EOF while parsing a value at line 1 column 0");
    insta::assert_snapshot!(message("[]"), @"this is no state: invalid type: sequence, expected a state file at line 1 column 0");
    insta::assert_snapshot!(message("{}"), @"this is no state: it has no version");
    insta::assert_snapshot!(message(r#"{"version": 3}"#), @"the state has version 3, and only version 4 can be read");
    insta::assert_snapshot!(message(r#"{"meta": {}, "encrypted_data": "x", "encryption_version": "v0"}"#), @"the state is encrypted");
    insta::assert_snapshot!(message(r#"{"version": 4, "serial": 1}"#), @"this is no state: it has no lineage");
    let with = |resource: &str| {
        message(&format!(
            r#"{{"version": 4, "serial": 1, "lineage": "l", "resources": [{resource}]}}"#
        ))
    };
    insta::assert_snapshot!(with(r#"{"module": "module.", "type": "a", "name": "b"}"#), @"this is no state: `module.` is no module's address at line 1 column 78");
    insta::assert_snapshot!(with(r#"{"mode": "odd", "type": "a", "name": "b"}"#), @"this is no state: `odd` is no known mode at line 1 column 72");
    insta::assert_snapshot!(with(r#"{"type": "a"}"#), @"this is no state: a resource has no type or no name at line 1 column 71");
    insta::assert_snapshot!(with(r#"{"type": "a", "name": "b", "instances": [{"index_key": 1.5}]}"#), @"this is no state: `1.5` is no key of an object at line 1 column 117");
    insta::assert_snapshot!(with(r#"{"type": "a", "name": "b", "instances": [{"index_key": 1}, {"index_key": 1}]}"#), @"the state has a.b[1] twice");
}
