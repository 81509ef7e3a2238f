//! A secret without a value.

use grove_fleet::load::SOPS;
use grove_yaml::{Node, Value};

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    mask::is_secrets_file,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "secret-empty",
    severity: Severity::Error,
    summary: "a secret has an empty value",
    documentation: "\
A secrets file has a name whose value is empty.

While Grove renders, it knows that there is a secret and not what it is: `{% if NAME %}` in a
template holds. For an empty value Tutor would have taken the other way, and the site would be
configured for a password that it does not have.

Give the secret a value with `grove secret set`, or take it out with `grove secret remove`; where
Tutor or a plugin has an empty default, it then applies.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/secrets.sops.yaml",
        Content::Text(include_str!("../base/secrets-empty.sops.yaml")),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (path, root) in view.roots() {
        if !is_secrets_file(path) {
            continue;
        }
        for entry in root.entries().iter().filter(|entry| entry.key != SOPS) {
            empty(&entry.key, &entry.value, &mut |name, node| {
                findings.add_with_hint(
                    format!("the secret {} is empty", quote(name)),
                    [Place::bytes(path, node.span)],
                    "`grove secret set` gives it a value, `grove secret remove` takes it out",
                );
            });
        }
    }
}

/// Calls `found` for each empty text below `node`, which SOPS leaves as it is.
fn empty(name: &str, node: &Node, found: &mut impl FnMut(&str, &Node)) {
    match &node.value {
        Value::String(text) if text.is_empty() => found(name, node),
        Value::List(nodes) => nodes.iter().for_each(|node| empty(name, node, found)),
        Value::Map(entries) => entries
            .iter()
            .for_each(|entry| empty(&entry.key, &entry.value, found)),
        _ => {}
    }
}
