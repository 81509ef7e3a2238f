//! The name of a group that is not there.

use grove_fleet::layout;

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
    words::near,
};

pub(crate) const RULE: Rule = Rule {
    id: "unknown-group",
    severity: Severity::Error,
    summary: "an instance is in a group that the fleet does not have",
    documentation: "\
An entry of `groups` names no directory under `groups/` with a `group.yaml`.

Settings and secrets of that group would silently be missing.

Correct the name, remove it, or make the group with `grove new group`.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "groups: [unis]\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        for (number, name) in instance.groups.iter().enumerate() {
            if view.snapshot.files.contains_key(&layout::group(name)) {
                continue;
            }
            findings.add_with_hint(
                format!("there is no group {}", quote(name)),
                [view.stated(instance, &["groups", &number.to_string()])],
                near(name, view.groups())
                    .unwrap_or_else(|| "make it with `grove new group`".to_owned()),
            );
        }
    }
}
