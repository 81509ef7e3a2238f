use proptest::prelude::*;
use serde_json::json;

use super::*;

const FILE: &str = "\
# An instance.
client: uni   # who pays

identity: {namespace: uni, id: x}
hosts:
  # the site
  lms: learn.uni.example # main
  cms: 'studio.uni.example'
config:
  # text
  ABOUT: |
    one
    two
  LIST:
  - 1
  - 2 # last
plugins: {}
# the end
";

fn diff(before: &str, after: &str) -> String {
    let before = before.lines().collect::<Vec<_>>();
    let after = after.lines().collect::<Vec<_>>();
    let same = before
        .iter()
        .zip(&after)
        .take_while(|(a, b)| a == b)
        .count();
    let tail = before[same..]
        .iter()
        .rev()
        .zip(after[same..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let mut out = String::new();
    for line in &before[same..before.len() - tail] {
        out.extend(["-", line, "\n"]);
    }
    for line in &after[same..after.len() - tail] {
        out.extend(["+", line, "\n"]);
    }
    out
}

fn set_in(path: &str, value: &Value) -> String {
    let path = path.split('.').collect::<Vec<_>>();
    diff(FILE, &set(FILE, &path, value).unwrap())
}

#[test]
fn replaces_scalars_and_keeps_comments() {
    insta::assert_snapshot!(set_in("client", &json!("no")), @r#"
    -client: uni   # who pays
    +client: "no"   # who pays
    "#);
    insta::assert_snapshot!(set_in("hosts.lms", &json!("a.example")), @"
    -  lms: learn.uni.example # main
    +  lms: a.example # main
    ");
    insta::assert_snapshot!(set_in("hosts.lms", &json!("a\nb\n")), @"
    -  lms: learn.uni.example # main
    +  lms: | # main
    +    a
    +    b
    ");
    insta::assert_snapshot!(set_in("hosts.lms", &json!({"a": 1, "b": [2]})), @"
    -  lms: learn.uni.example # main
    +  lms: # main
    +    a: 1
    +    b:
    +    - 2
    ");
}

#[test]
fn replaces_collections_and_blocks() {
    insta::assert_snapshot!(set_in("config.ABOUT", &json!("short")), @"
    -  ABOUT: |
    -    one
    -    two
    +  ABOUT: short
    ");
    insta::assert_snapshot!(set_in("config.LIST", &json!(3)), @"
    -  LIST:
    -  - 1
    -  - 2 # last
    +  LIST: 3
    ");
    insta::assert_snapshot!(set_in("config.LIST", &json!([{"a": 1}])), @"
    -  - 1
    -  - 2 # last
    +  - a: 1
    ");
    insta::assert_snapshot!(set_in("hosts", &json!({})), @"
    -hosts:
    -  # the site
    -  lms: learn.uni.example # main
    -  cms: 'studio.uni.example'
    +hosts: {}
    +  # the site
    ");
}

#[test]
fn adds_keys() {
    insta::assert_snapshot!(set_in("hosts.mfe", &json!("apps.uni.example")), @"+  mfe: apps.uni.example");
    insta::assert_snapshot!(set_in("config.LIST2", &json!(["a"])), @"
    +  LIST2:
    +  - a
    ");
    insta::assert_snapshot!(set_in("plugins.mfe", &json!({})), @"
    -plugins: {}
    +plugins: {mfe: {}}
    ");
    insta::assert_snapshot!(set_in("identity.a,b", &json!("x: y")), @r#"
    -identity: {namespace: uni, id: x}
    +identity: {namespace: uni, id: x, "a,b": "x: y"}
    "#);
    insta::assert_snapshot!(set_in("env.lms.features.X", &json!(true)), @"
    +env:
    +  lms:
    +    features:
    +      X: true
    ");
}

#[test]
fn removes_keys() {
    let removed = |path: &[&str]| diff(FILE, &remove(FILE, path).unwrap());
    insta::assert_snapshot!(removed(&["client"]), @"-client: uni   # who pays");
    insta::assert_snapshot!(removed(&["config", "ABOUT"]), @"
    -  ABOUT: |
    -    one
    -    two
    ");
    insta::assert_snapshot!(removed(&["identity", "namespace"]), @"
    -identity: {namespace: uni, id: x}
    +identity: {id: x}
    ");
    insta::assert_snapshot!(removed(&["identity", "id"]), @"
    -identity: {namespace: uni, id: x}
    +identity: {namespace: uni}
    ");
    assert_eq!(removed(&["hosts", "nothing"]), "");
    assert_eq!(remove("a:\n  b: 1\n", &["a", "b"]).unwrap(), "a: {}\n");
    assert_eq!(remove("# c\na: 1\n", &["a"]).unwrap(), "# c\n");
}

#[test]
fn starts_an_empty_file() {
    assert_eq!(set("", &["a"], &json!(1)).unwrap(), "a: 1\n");
    assert_eq!(
        set("# c", &["a", "b"], &json!("x")).unwrap(),
        "# c\na:\n  b: x\n"
    );
    assert_eq!(set("a:\n", &["a", "b"], &json!(1)).unwrap(), "a:\n  b: 1\n");
    assert_eq!(
        set("a: # c\nb: 1", &["a"], &json!(1)).unwrap(),
        "a: 1 # c\nb: 1"
    );
    assert_eq!(set("b: 1", &["c"], &json!(1)).unwrap(), "b: 1\nc: 1\n");
    assert_eq!(set("{a}", &["a"], &json!(1)).unwrap(), "{a: 1}");
}

#[test]
fn keeps_line_ends() {
    assert_eq!(
        set("a: 1\r\nb: 2\r\n", &["a"], &json!([1])).unwrap(),
        "a:\r\n- 1\r\nb: 2\r\n"
    );
}

#[test]
fn refuses_what_it_cannot_do_alone() {
    let wide = |text, path: &[&str]| set(text, path, &json!(5)).unwrap_err().to_string();
    insta::assert_snapshot!(wide("a: &x 1\nb: *x\n", &["a"]), @"the edit of `a` would change other lines too");
    insta::assert_snapshot!(wide("a: &x {k: 1}\nb: *x\n", &["b", "k"]), @"the edit of `b.k` would change other lines too");
    insta::assert_snapshot!(wide("a: 1\n", &["a", "b"]), @"`a` is not a map");
    insta::assert_snapshot!(wide("a: 1\na: 2\n", &["a"]), @"the file is not valid YAML: the key `a` stands here twice");
    insta::assert_snapshot!(wide("- a\n", &["a"]), @"the file is not valid YAML: it is not a map");
    // The alias itself can be replaced.
    assert_eq!(
        set("a: &x 1\nb: *x\n", &["b"], &json!(5)).unwrap(),
        "a: &x 1\nb: 5\n"
    );
}

/// A map of few keys, so that random paths meet.
fn maps() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!({})),
        Just(json!([])),
        any::<i8>().prop_map(Value::from),
        "[a-z \n#:'\"-]{0,8}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Value::from),
            proptest::collection::btree_map("[abc]", inner, 1..4)
                .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
        ]
    });
    proptest::collection::btree_map("[abc]", value, 0..4)
        .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_edit_of_a_written_file_works(
        file in maps(),
        path in proptest::collection::vec("[abc]", 1..4),
        value in maps(),
        flow in any::<bool>(),
    ) {
        let text = if flow { format!("{}\n", render::flow(&file)) } else { crate::emit(&file) };
        let path = path.iter().map(String::as_str).collect::<Vec<_>>();
        match set(&text, &path, &value) {
            Err(EditError::NotAMap { .. }) => {}
            edited => {
                let edited = edited.map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
                let removed = remove(&edited, &path);
                prop_assert!(removed.is_ok(), "{removed:?}\n{edited}");
            }
        }
    }
}
