use std::fmt::Write as _;

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
fn probe() {
    for t in [
        "# head\na: 1\n'b':  \"x y\" # c\nc:\n  - é\n  - {k: v, l: [1, 2]}\nd: |\n  one\n  two\n\ne:\nf: plain\n  more\n",
        "\u{feff}a: 1\n",
        "",
        "# only\n",
        "---\n",
        "a: &x {k: v}\nb: *x\n",
        "a: [1, 2\nb: 3\n",
        "a: 1\nb: 2\na: 3\n? [x]\n: y\n1: z\n<<: {q: 1}\n: e\n",
        "a: *nope\nb: &r [*r]\n",
        "a: !foo x\nb: !!str 1\nc: !!int x\nd: !!set {a}\ne: ! 12\n",
        "a: 0755\nb: 1e3\nc: .inf\nd: 123456789012345678901\ne: 0x1F\nf: 12:30:45\ng: 2026-11-22\nh: -\ni: .\nj: +1.\nk: no\nl: 1.\n",
        "a: 1\n---\nb: 1\n",
        "a: 'x\n",
        "a: b: c\n",
        "\tx: 1\n",
        "a: \u{0}\n",
        "a:\r\n  b: 1\r\n",
        "a:\n- 1\n- 2\nb:\n  - - 1\n",
    ] {
        println!("{t:?}\n{}", show(t));
    }
}
