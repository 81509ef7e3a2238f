//! A group's name that Argo CD refuses.

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-group",
    severity: Severity::Error,
    summary: "a group of `access` has a name that Argo CD refuses",
    documentation: "\
A key of `access` is empty, or holds a comma or a character that cannot be seen, such as a line
break.

Argo CD writes groups into its policy, a line of values between commas each, and refuses a project
with such a group: the instance would lose its project's changes.

Write the group as the identity provider states it in the claim `groups`.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "access: {\"staff, role:admin\": viewer}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        for group in instance.access.keys() {
            let is_refused = |c: char| c == ',' || c.is_control();
            if group.trim().is_empty() || group.contains(is_refused) {
                findings.add_with_hint(
                    format!("group {} is refused by Argo CD", quote(group)),
                    [view.stated_key(instance, &["access", group])],
                    "a group's name has no comma and no line break",
                );
            }
        }
    }
}
