//! A key that a later version renders.

use grove_fleet::shape::MisfitKind;

use crate::{
    Severity,
    findings::Findings,
    problems::report_misfits,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "unsupported-key",
    severity: Severity::Error,
    summary: "a key or value is planned, and this version does nothing with it",
    documentation: "\
A key, or the value of one, has its place in the format, but this version of Grove does not render
it yet.

It is refused because the site would otherwise run without what the fleet says about it: without a
quota, a backup or a redirect that somebody relies on.

Remove it, or use a version of Grove that renders it; `CHANGELOG.md` says which does.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "state: archived\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    report_misfits(view, findings, MisfitKind::NotYet);
}
