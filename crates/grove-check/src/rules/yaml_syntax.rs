//! A file that is not YAML.

use grove_yaml::ProblemKind;

use crate::{
    Severity,
    findings::Findings,
    problems::report,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "yaml-syntax",
    severity: Severity::Error,
    summary: "a file is not YAML that Grove reads",
    documentation: "\
A file of the fleet cannot be read as one document of YAML 1.2.

Besides slips (a tab, a bracket that is never closed, a marker of a merge conflict), some things
that YAML allows are refused because tools disagree about them: merge keys (`<<`), where layers do
the same; tags of one's own (`!something`); keys that are no text; several documents in one file;
numbers such as `0755`, which are another number for older readers. Text that is not UTF-8 is
refused too.

What stands behind the place is not read, so other findings in the file may come to light once it is
mended.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "labels: {tier: gold\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    report(view, findings, ProblemKind::Syntax, None);
}
