//! Two stacks with one state.

use std::collections::HashMap;

use grove_stack::stack;

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "state-key-clash",
    severity: Severity::Error,
    summary: "two stacks have the same state",
    documentation: "\
Two stacks have the same key in the same back end, so that they would have one state.

Each would plan to destroy what the other made: the first apply after the other's removes it all.

Leave `key` out, since Grove's own choice is never shared; where a state is there already, state
its key with the one stack that it belongs to.",
    example: Example::files(&[
        (
            "clusters/prod/cluster.yaml",
            Content::Text(concat!(
                include_str!("../base/cluster.yaml"),
                "state: {backend: pg}\n",
                "stacks: {a: {key: one}, b: {key: one}}\n"
            )),
        ),
        (
            "clusters/prod/stacks/a/main.tf",
            Content::Text("output \"y\" {\n  value = 1\n}\n"),
        ),
        (
            "clusters/prod/stacks/b/main.tf",
            Content::Text("output \"y\" {\n  value = 1\n}\n"),
        ),
    ]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let mut first: HashMap<String, &stack::Address> = HashMap::new();
    for (address, stack) in &view.fleet.stacks {
        let storage = view.fleet.clusters.get(&address.cluster);
        let Some(storage) = storage.and_then(|cluster| cluster.storage.as_ref()) else {
            continue;
        };
        if stack.module().is_none() {
            continue;
        }
        let own = || storage.backend.key(&view.fleet.name, address);
        let key = stack.key.clone().unwrap_or_else(own);
        let other = *first.entry(storage.backend.place(&key)).or_insert(address);
        if other != address {
            findings.add(
                format!(
                    "`{other}` and `{address}` have the same state {}",
                    quote(&key)
                ),
                [
                    view.stack(address, &["key"]).label("again"),
                    view.stack(other, &["key"]).label("first here"),
                ],
            );
        }
    }
}
