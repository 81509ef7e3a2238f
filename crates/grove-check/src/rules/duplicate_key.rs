//! A key that stands twice in one map.

use grove_yaml::ProblemKind;

use crate::{
    Severity,
    findings::Findings,
    problems::report,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "duplicate-key",
    severity: Severity::Error,
    summary: "a key stands twice in one map",
    documentation: "\
The same key stands twice in one map.

YAML forbids it, and programs that read it all the same take one of the two in silence, some the
first, most the last.

Keep one. Where both hold maps, put them together under one key.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "labels: {tier: gold}\nlabels: {tier: silver}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    report(
        view,
        findings,
        ProblemKind::DuplicateKey,
        Some("keep one of the two"),
    );
}
