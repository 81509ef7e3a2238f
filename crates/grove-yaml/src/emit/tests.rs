use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{Limits, Node, parse};

fn read_back(text: &str) -> Value {
    let parsed = parse(text.as_bytes(), Limits::default());
    assert_eq!(parsed.problems, [], "{text}");
    parsed.root.map_or(Value::Null, Node::into_json)
}

#[test]
fn shape() {
    let value = json!({
        "apiVersion": "v1",
        "data": {"lms.py": "import os\n\nDEBUG = False\n", "flag": "no"},
        "empty": {"list": [], "map": {}, "text": "", "null": null},
        "numbers": [0, -1, 1.5, 1.0, u64::MAX],
        "nested": [[1, {"a": [2]}], {"b": "x\ny"}],
    });
    insta::assert_snapshot!(emit(&value), @r#"
    apiVersion: v1
    data:
      flag: "no"
      lms.py: |
        import os

        DEBUG = False
    empty:
      list: []
      map: {}
      "null": null
      text: ""
    nested:
    - - 1
      - a:
        - 2
    - b: |-
        x
        y
    numbers:
    - 0
    - -1
    - 1.5
    - 1.0
    - 18446744073709551615
    "#);
    assert_eq!(read_back(&emit(&value)), value);
}

#[test]
fn what_old_readers_misread_is_quoted() {
    let misread = [
        "no",
        "on",
        "y",
        "N",
        "Yes",
        "off",
        "~",
        "null",
        "True",
        "12:30:45",
        "190:20:30.15",
        "0755",
        "0o17",
        "0x1F",
        "0b11",
        "1e3",
        "1_000",
        ".inf",
        ".5",
        "+1",
        "-0",
        "2026-11-22",
        "2026-11-22T10:00:00Z",
        "=",
        "<<",
        "",
        " a",
        "a ",
        "a\t",
        "\ta",
        "- a",
        "? a",
        ": a",
        "a: b",
        "a #b",
        "# a",
        "!x",
        "&x",
        "*x",
        "@x",
        "`x",
        "%x",
        "|",
        ">",
        "[a",
        "{a",
        "]",
        "}",
        ",",
        "'a'",
        "\"a\"",
        "---",
        "...",
        "-",
        "?",
        ":",
        "a:",
        "a\rb",
        "a\0b",
        "a\u{85}b",
        "a\u{2028}b",
        "a\u{2029}b",
        "\u{feff}",
        "\u{7f}",
        "\u{1b}[0m",
        "\na",
        " a\nb",
        "a\r\nb",
    ];
    for text in misread {
        let value = json!({ text: text });
        let written = emit(&value);
        assert!(
            written.starts_with(['"', '\'']),
            "the key {text:?} is bare in {written}"
        );
        assert!(
            written.ends_with("\"\n") || written.ends_with("'\n"),
            "{text:?} is bare in {written}"
        );
        assert_eq!(written.lines().count(), 1, "{written}");
        assert_eq!(read_back(&written), value);
    }
}

#[test]
fn plain_words_are_not_quoted() {
    for text in [
        "verawood",
        "v1",
        "https://a.example/b?c=d",
        "registry:5000/a@sha256",
        "a'b",
        "é",
    ] {
        assert_eq!(emit(&json!(text)), format!("{text}\n"));
    }
}

#[test]
fn long_lines_stay_in_one_line() {
    let text = "word ".repeat(2_000);
    let written = emit(&json!({"a": text}));
    assert_eq!(written, format!("a: \"{text}\"\n"));
}

#[test]
fn long_keys_can_be_read_back() {
    let value = json!({"k".repeat(3_000): {"a": 1}, "b": [{"x".repeat(2_000): "y\nz"}]});
    assert_eq!(read_back(&emit(&value)), value);
}

#[test]
fn deep_values_can_be_written() {
    let mut value = json!("x\ny");
    for depth in 0..90 {
        value = if depth % 2 == 0 {
            json!([value])
        } else {
            json!({"a": value})
        };
    }
    assert_eq!(read_back(&emit(&value)), value);
}

/// Texts of characters that mean something to a reader of YAML, and of any others.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec(
            prop::sample::select(
                "ab01 \t\n\r:#-?,[]{}&*!|>'\"%@`~=<.+_eExyYnNoOtTfF\\/\0\u{1b}\u{85}\u{a0}\u{2028}\u{feff}é😀\u{7f}"
                    .chars()
                    .collect::<Vec<_>>()
            ),
            0..12
        )
        .prop_map(String::from_iter),
        any::<String>(),
        proptest::collection::vec("[a-z #:-]{0,5}[ \t]?", 0..5).prop_map(|lines| lines.join("\n")),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e300..1e300).prop_map(Value::from),
        texts().prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(texts(), inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn reading_gives_what_was_written(value in values()) {
        let written = emit(&value);
        prop_assert!(written.ends_with('\n'));
        let parsed = parse(written.as_bytes(), Limits::default());
        prop_assert_eq!(&parsed.problems, &vec![], "{}", written);
        prop_assert_eq!(parsed.root.map_or(Value::Null, Node::into_json), value, "{}", written);
    }
}
