//! The name of a distribution that is not there.

use grove_fleet::layout;

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
    words::near,
};

pub(crate) const RULE: Rule = Rule {
    id: "unknown-distribution",
    severity: Severity::Error,
    summary: "an instance uses a distribution that the fleet does not have",
    documentation: "\
`distribution` names no file under `distributions/`.

A distribution says which Tutor, plugins and packages an instance is rendered with.

Correct the name where it is set (the instance, a group, its cluster, its ring or the fleet's
defaults: `grove explain <cluster>/<instance> distribution` shows which), or make the distribution
with `grove new distribution`.",
    example: Example::files(&[(
        "grove.yaml",
        Content::Text(
            "version: 1\nname: acme\ndeploy: {remote: \"git@git.example.org:acme/deploy-{cluster}.git\"}\n\
             rings: [{name: general, defaults: {distribution: verawood-2}}]\n",
        ),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        let name = &instance.distribution;
        // An empty one is missing; a file that is there has findings of its own.
        if name.is_empty()
            || view.fleet.distributions.contains_key(name)
            || view
                .snapshot
                .files
                .contains_key(&layout::distribution(name))
        {
            continue;
        }
        findings.add_with_hint(
            format!("there is no distribution {}", quote(name)),
            [view.stated(instance, &["distribution"])],
            near(name, view.fleet.distributions.keys())
                .unwrap_or_else(|| "make it with `grove new distribution`".to_owned()),
        );
    }
}
