//! A secrets file that anyone can read.

use grove_fleet::load::{SOPS, is_encrypted};
use grove_yaml::{Node, Value};

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    mask::is_secrets_file,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "secrets-not-encrypted",
    severity: Severity::Error,
    summary: "a secrets file holds values that are not encrypted",
    documentation: "\
A file that ends in `.sops.yaml` has no `sops` block, or holds a value that is not encrypted.

Once committed, a plain secret is in Git's history for everyone who can clone it.

Encrypt the file with `sops encrypt --in-place FILE`, or set values with `grove secret set`, which
never writes one in plain text. If the file was committed already, the values are known to everyone
who has it: set new ones.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/secrets.sops.yaml",
        Content::Text(include_str!("../base/secrets-plain.sops.yaml")),
    )]),
    hides_source: true,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (path, root) in view.roots() {
        if !is_secrets_file(path) || root.entries().is_empty() {
            continue;
        }
        let hint = format!("`sops encrypt --in-place {path}`, and new values if it was committed");
        if root.get(SOPS).is_none_or(|sops| sops.entries().is_empty()) {
            findings.add_with_hint(
                "this secrets file is not encrypted: it has no `sops` block",
                [Place::file(path)],
                hint,
            );
            continue;
        }
        for entry in root.entries().iter().filter(|entry| entry.key != SOPS) {
            plain(&entry.value, &mut |node| {
                findings.add_with_hint(
                    format!("a value of {} is not encrypted", quote(&entry.key)),
                    [Place::bytes(path, node.span)],
                    hint.clone(),
                );
            });
        }
    }
}

/// Calls `found` for each value below `node` that is not encrypted. SOPS leaves empty ones alone.
fn plain(node: &Node, found: &mut impl FnMut(&Node)) {
    match &node.value {
        Value::Null => {}
        Value::String(text) if text.is_empty() || is_encrypted(text) => {}
        Value::String(_) | Value::Bool(_) | Value::Number(_) => found(node),
        Value::List(nodes) => nodes.iter().for_each(|node| plain(node, found)),
        Value::Map(entries) => entries.iter().for_each(|entry| plain(&entry.value, found)),
    }
}
