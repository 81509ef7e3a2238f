//! An entry of `stacks` that is no stack.

use grove_stack::catalog;

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "unknown-stack",
    severity: Severity::Error,
    summary: "an entry of `stacks` has neither files nor outputs, and the provider has no such stack",
    documentation: "\
An entry of `stacks` is neither a directory `stacks/<name>` with `*.tf`, nor a stack that Grove
has for the cluster's provider, nor does it state `outputs`.

Nothing would be applied for it, and whoever reads its outputs would wait for ever.

Correct the name, put the root module's files into the directory, or state its outputs.",
    example: Example::files(&[(
        "clusters/prod/cluster.yaml",
        Content::Text(concat!(
            include_str!("../base/cluster.yaml"),
            "state: {backend: pg}\n",
            "stacks: {dns: {}}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (address, place) in view.stated_stacks() {
        let Some(cluster) = view.fleet.clusters.get(&address.cluster) else {
            continue;
        };
        if view.fleet.stacks.contains_key(&address) {
            continue;
        }
        let names = catalog::names(&cluster.provider, address.instance.is_some());
        let hint = if names.is_empty() {
            format!(
                "put a root module into `{}`, or state its `outputs`",
                address.directory()
            )
        } else {
            format!(
                "for {} Grove has {}; others need `{}/*.tf`",
                cluster.provider,
                names.join(", "),
                address.directory()
            )
        };
        findings.add_with_hint(
            format!("there is no stack {}", quote(&address.stack)),
            [place],
            hint,
        );
    }
}
