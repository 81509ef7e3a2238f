//! An id that is not one.

use grove_fleet::layout;

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-identity",
    severity: Severity::Error,
    summary: "an instance's id is not 24 letters and digits",
    documentation: "\
`identity.id` is not 24 letters and digits of ASCII.

It is Tutor's `ID`, which Tutor makes of 24 random letters and digits. It becomes part of labels and
of selectors that Kubernetes never lets change, and of the names of indexes and buckets.

Copy the `ID` of a site that runs already from its `config.yml`; for a new one, `grove new instance`
writes a random one.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(
            "client: uni
environment: staging
ring: general
identity: {namespace: uni, id: uni-production}
hosts: {lms: learn.uni.example, cms: studio.uni.example}
",
        ),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (address, instance) in &view.fleet.instances {
        let id = instance.identity.id.as_str();
        if id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            continue;
        }
        findings.add_with_hint(
            format!("id {} is not 24 letters and digits", quote(id)),
            [view.value(&layout::instance(address), &["identity", "id"])],
            "copy it from a running site's `config.yml`, or take one from `grove new instance`",
        );
    }
}
