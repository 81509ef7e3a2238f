use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::Value;

/// The tree with the bytes of each span, and the problems.
fn show(text: &str) -> String {
    fn walk(out: &mut String, text: &str, indent: usize, label: &str, node: &Node) {
        let written = text
            .get(node.span.start..node.span.end)
            .unwrap_or("<bad span>");
        let what = match &node.value {
            Value::List(_) => "list".to_owned(),
            Value::Map(_) => "map".to_owned(),
            other => format!("{other:?}"),
        };
        let _ = writeln!(out, "{:indent$}{label}{what} <- {written:?}", "");
        if let Value::List(nodes) = &node.value {
            for node in nodes {
                walk(out, text, indent + 2, "- ", node);
            }
        }
        for entry in node.entries() {
            let key = text.get(entry.key_span.start..entry.key_span.end);
            let label = format!("{} ({}): ", entry.key, key.unwrap_or("<bad span>"));
            walk(out, text, indent + 2, &label, &entry.value);
        }
    }
    let parsed = parse(text.as_bytes(), Limits::default());
    let mut out = String::new();
    if let Some(root) = &parsed.root {
        walk(&mut out, text, 0, "", root);
    }
    for problem in &parsed.problems {
        let written = text.get(problem.span.start..problem.span.end);
        let _ = write!(out, "{:?} {written:?} {}", problem.kind, problem.message);
        if let Some(first) = problem.related {
            let _ = write!(out, " (first at {})", first.start);
        }
        out.push('\n');
    }
    out
}

#[test]
fn every_value_knows_its_bytes() {
    insta::assert_snapshot!(show(
        "# head\na: 1\n'b':  \"x y\" # c\nc:\n  - é\n  - {k: v, l: [1, 2]}\nd: | # d\n  one\n  two\n\ne:\nf: plain\n  more\ng:\n- x\n"
    ), @r#"
    map <- "a: 1\n'b':  \"x y\" # c\nc:\n  - é\n  - {k: v, l: [1, 2]}\nd: | # d\n  one\n  two\n\ne:\nf: plain\n  more\ng:\n- x"
      a (a): Number(Number(1)) <- "1"
      b ('b'): String("x y") <- "\"x y\""
      c (c): list <- "- é\n  - {k: v, l: [1, 2]}"
        - String("é") <- "é"
        - map <- "{k: v, l: [1, 2]}"
          k (k): String("v") <- "v"
          l (l): list <- "[1, 2]"
            - Number(Number(1)) <- "1"
            - Number(Number(2)) <- "2"
      d (d): String("one\ntwo\n") <- "| # d\n  one\n  two"
      e (e): Null <- ""
      f (f): String("plain more") <- "plain\n  more"
      g (g): list <- "- x"
        - String("x") <- "x"
    "#);
}

#[test]
fn scalars_are_those_of_the_core_schema() {
    insta::assert_snapshot!(show(
        "[~, null, yes, No, true, 'true', 1, -1, +1, 0x1F, 0o17, 1.5, .5, 1e3, 12:30:45, 2026-11-22, ., a-b]"
    ), @r#"
    list <- "[~, null, yes, No, true, 'true', 1, -1, +1, 0x1F, 0o17, 1.5, .5, 1e3, 12:30:45, 2026-11-22, ., a-b]"
      - Null <- "~"
      - Null <- "null"
      - String("yes") <- "yes"
      - String("No") <- "No"
      - Bool(true) <- "true"
      - String("true") <- "'true'"
      - Number(Number(1)) <- "1"
      - Number(Number(-1)) <- "-1"
      - Number(Number(1)) <- "+1"
      - Number(Number(31)) <- "0x1F"
      - Number(Number(15)) <- "0o17"
      - Number(Number(1.5)) <- "1.5"
      - Number(Number(0.5)) <- ".5"
      - Number(Number(1000.0)) <- "1e3"
      - String("12:30:45") <- "12:30:45"
      - String("2026-11-22") <- "2026-11-22"
      - String(".") <- "."
      - String("a-b") <- "a-b"
    "#);
}

#[test]
fn numbers_that_cannot_be_kept_are_problems() {
    insta::assert_snapshot!(show("[0755, .inf, -.nan, 123456789012345678901, 1e999, 0xFFFFFFFFFFFFFFFFF]"), @r#"
    list <- "[0755, .inf, -.nan, 123456789012345678901, 1e999, 0xFFFFFFFFFFFFFFFFF]"
      - String("0755") <- "0755"
      - String(".inf") <- ".inf"
      - String("-.nan") <- "-.nan"
      - String("123456789012345678901") <- "123456789012345678901"
      - String("1e999") <- "1e999"
      - String("0xFFFFFFFFFFFFFFFFF") <- "0xFFFFFFFFFFFFFFFFF"
    Syntax Some("0755") this number is octal for some readers and decimal for others; quote it to keep it as text, or drop the leading zero
    Syntax Some(".inf") this number is no finite number; quote it to keep it as text
    Syntax Some("-.nan") this number is no finite number; quote it to keep it as text
    Syntax Some("123456789012345678901") this number does not fit 64 bits; quote it to keep it as text
    Syntax Some("1e999") this number does not fit 64 bits; quote it to keep it as text
    Syntax Some("0xFFFFFFFFFFFFFFFFF") this number does not fit 64 bits; quote it to keep it as text
    "#);
}

#[test]
fn keys_are_text_and_stand_once() {
    insta::assert_snapshot!(show("a: 1\nb: 2\na: 3\n? [x]\n: y\n1: z\n<<: {q: 1}\n: e\n'<<': f\na: 4\n"), @r#"
    map <- "a: 1\nb: 2\na: 3\n? [x]\n: y\n1: z\n<<: {q: 1}\n: e\n'<<': f\na: 4"
      a (a): Number(Number(1)) <- "1"
      b (b): Number(Number(2)) <- "2"
      1 (1): String("z") <- "z"
      << ('<<'): String("f") <- "f"
    DuplicateKey Some("a") the key `a` stands here twice (first at 0)
    Syntax Some("[x]") a list or map cannot be a key
    Syntax Some("1") the key `1` is not text; quote it
    Syntax Some("<<") merge keys (`<<`) are not used here; layers do their work
    Syntax Some("") a key is missing
    DuplicateKey Some("a") the key `a` stands here twice (first at 0)
    "#);
}

#[test]
fn anchors_repeat_and_aliases_have_their_own_place() {
    insta::assert_snapshot!(show("a: &x {k: v}\nb: *x\nc: *nope\nd: &r [*r]\n*x : 1\n"), @r#"
    map <- "a: &x {k: v}\nb: *x\nc: *nope\nd: &r [*r]"
      a (a): map <- "{k: v}"
        k (k): String("v") <- "v"
      b (b): map <- "*x"
        k (k): String("v") <- "v"
      c (c): Null <- "*nope"
      d (d): list <- "[*r]"
        - Null <- "*r"
    Syntax Some("*nope") no anchor `&nope` stands before this alias
    Syntax Some("*r") the alias stands inside what it repeats
    Syntax Some("*x") a list or map cannot be a key
    "#);
}

#[test]
fn tags_other_than_the_core_ones_are_problems() {
    insta::assert_snapshot!(show("a: !foo x\nb: !!str 1\nc: !!int x\nd: !!set {a}\ne: ! 12\nf: !!binary aGk=\ng: !!map {}\nh: !!float 1\n"), @r#"
    map <- "a: !foo x\nb: !!str 1\nc: !!int x\nd: !!set {a}\ne: ! 12\nf: !!binary aGk=\ng: !!map {}\nh: !!float 1"
      a (a): String("x") <- "x"
      b (b): String("1") <- "1"
      c (c): String("x") <- "x"
      d (d): map <- "{a}"
        a (a): Null <- ""
      e (e): String("12") <- "12"
      f (f): String("aGk=") <- "aGk="
      g (g): map <- "{}"
      h (h): Number(Number(1)) <- "1"
    Syntax Some("x") the tag `!foo` is not one of YAML's core schema
    Syntax Some("x") the value is not what its tag `!!int` says
    Syntax Some("{") the tag `!!set` is not one of YAML's core schema
    Syntax Some("aGk=") the tag `!!binary` is not one of YAML's core schema
    "#);
}

#[test]
fn what_stands_before_an_error_is_read() {
    insta::assert_snapshot!(show("a: [1, 2\nb: 3\n"), @r#"
    map <- "a: [1"
      a (a): list <- "[1"
        - Number(Number(1)) <- "1"
    Syntax Some(":") illegal placement of ':' indicator
    "#);
    insta::assert_snapshot!(show("a: 1\nb: 'x\n"), @r#"
    map <- "a: 1"
      a (a): Number(Number(1)) <- "1"
    Syntax Some("'") unclosed quote
    "#);
    insta::assert_snapshot!(show("a: {b: 1}\nc: d: e\n"), @r#"
    map <- "a: {b: 1}\nc: d"
      a (a): map <- "{b: 1}"
        b (b): Number(Number(1)) <- "1"
      c (c): String("d") <- "d"
    Syntax Some(":") mapping values are not allowed in this context
    "#);
}

#[test]
fn one_document_is_read() {
    insta::assert_snapshot!(show("a: 1\n---\nb: 1\n"), @r#"
    map <- "a: 1"
      a (a): Number(Number(1)) <- "1"
    Syntax Some("---") the file holds more than one document
    "#);
    for empty in ["", "# only\n", "---\n", "\u{feff}"] {
        assert_eq!(show(empty), "");
    }
    assert_eq!(show("\u{feff}a: 1\n"), show("a: 1\n"));
}

#[test]
fn bytes_that_are_no_text_are_located() {
    let parsed = parse(b"a: 1\nb: \xff\xfe\n", Limits::default());
    assert_eq!(parsed.root, None);
    assert_eq!(parsed.problems[0].span, Span { start: 8, end: 9 });
    let parsed = parse(&[0, 159, 146, 150, 0, 1, 2], Limits::default());
    assert_eq!(parsed.problems.len(), 1);
    insta::assert_snapshot!(show("a: 1\nb: \0\n"), @r#"
    map <- "a: 1"
      a (a): Number(Number(1)) <- "1"
    Syntax Some("\0") unexpected character: `\u{0}'
    "#);
}

fn only_problem(text: &str, limits: Limits) -> Problem {
    let parsed = parse(text.as_bytes(), limits);
    assert_eq!(parsed.problems.len(), 1, "{:?}", parsed.problems);
    parsed.problems[0].clone()
}

#[test]
fn deep_nesting_is_refused() {
    for text in [
        "[".repeat(10_000),
        "{a: ".repeat(10_000),
        "- ".repeat(10_000),
        (0..10_000)
            .map(|depth| format!("{:depth$}a:\n", ""))
            .collect::<Vec<_>>()
            .concat(),
        "[{a: ".repeat(10_000),
    ] {
        let problem = only_problem(
            &text,
            Limits {
                bytes: usize::MAX,
                ..Limits::default()
            },
        );
        assert_eq!(problem.kind, ProblemKind::Limit);
        assert_eq!(problem.message, "the file is nested deeper than 100 levels");
    }
    let text = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(parse(text.as_bytes(), Limits::default()).problems, []);
}

#[test]
fn aliases_do_not_nest_past_the_limit() {
    let mut text = String::from("a0: &a0 [1]\n");
    for level in 1..200 {
        let _ = writeln!(text, "a{level}: &a{level} [*a{}]", level - 1);
    }
    assert_eq!(
        only_problem(&text, Limits::default()).kind,
        ProblemKind::Limit
    );
}

#[test]
fn a_bomb_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let _ = writeln!(
            text,
            "a{level}: &a{level} [{}]",
            format!("*a{},", level - 1).repeat(9)
        );
    }
    assert_eq!(
        only_problem(&text, Limits::default()).kind,
        ProblemKind::Limit
    );
    // Few nodes, much text.
    let text = format!(
        "a: &a '{}'\nb: [{}]\n",
        "x".repeat(1 << 20),
        "*a,".repeat(100)
    );
    assert_eq!(
        only_problem(&text, Limits::default()).kind,
        ProblemKind::Limit
    );
}

#[test]
fn long_documents_are_not_read() {
    let text = "a: 1\n".repeat(1 << 20);
    let problem = only_problem(&text, Limits::default());
    assert_eq!(problem.kind, ProblemKind::Limit);
    insta::assert_snapshot!(problem.message, @"the file has 5242880 bytes, more than the 4194304 that are read");
}

#[test]
fn many_equal_keys_are_found_quickly() {
    let text = "a: 1\n".repeat(50_000);
    assert_eq!(
        parse(text.as_bytes(), Limits::default()).problems.len(),
        49_999
    );
}

#[test]
fn streams_give_every_document() {
    let stream = b"apiVersion: v1\n---\n# nothing\n---\nkind: 'no'\n...\n---\n- 1\n";
    let documents = parse_all(stream).unwrap();
    assert_eq!(
        serde_json::Value::from(documents).to_string(),
        r#"[{"apiVersion":"v1"},{"kind":"no"},[1]]"#
    );
    assert_eq!(parse_all(b"").unwrap(), Vec::<serde_json::Value>::new());
    insta::assert_snapshot!(parse_all(b"a: 1\n---\nb: [\n").unwrap_err(), @"line 3: unclosed bracket '['");
    insta::assert_snapshot!(parse_all(b"a: 1\n---\nb: &x 1\nb: *x\n").unwrap_err(), @"line 4: the key `b` stands here twice");
    // An anchor ends with its document.
    assert!(parse_all(b"a: &x 1\n---\nb: *x\n").is_err());
}

/// Texts that look like YAML, and any bytes.
fn documents() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..64),
        proptest::collection::vec(
            prop::sample::select(vec![
                "a",
                "b:",
                ": ",
                "- ",
                "\n",
                "\n  ",
                "[",
                "]",
                "{",
                "}",
                ",",
                "&x ",
                "*x",
                "!t ",
                "!!str ",
                "|\n",
                ">-\n",
                "'",
                "\"",
                "#",
                "? ",
                "<<: ",
                "1",
                "---\n",
                "...\n",
                "%YAML 1.2\n",
                "é",
                "\t",
                "\r\n",
                "|+\n",
                "~",
            ]),
            0..40
        )
        .prop_map(|parts| parts.concat().into_bytes()),
    ]
}

fn spans_are_sound(node: &Node, text: &str) -> bool {
    let sound = |span: Span| text.get(span.start..span.end).is_some();
    let below = match &node.value {
        Value::List(nodes) => nodes.iter().all(|node| spans_are_sound(node, text)),
        _ => node
            .entries()
            .iter()
            .all(|entry| sound(entry.key_span) && spans_are_sound(&entry.value, text)),
    };
    sound(node.span) && below
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn nothing_panics_and_spans_are_in_the_text(bytes in documents()) {
        let parsed = parse(&bytes, Limits { bytes: 1_000, depth: 10, nodes: 100 });
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        if let Some(root) = &parsed.root {
            prop_assert!(spans_are_sound(root, text));
        }
        for problem in &parsed.problems {
            prop_assert!(problem.span.start <= problem.span.end && problem.span.end <= bytes.len());
        }
        prop_assert!(parsed.problems.is_sorted_by_key(|problem| problem.span));
        drop(parse_all(&bytes));
    }
}
