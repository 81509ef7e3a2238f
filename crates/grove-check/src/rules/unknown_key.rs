//! A key that means nothing.

use grove_fleet::shape::MisfitKind;

use crate::{
    Severity,
    findings::Findings,
    problems::report_misfits,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "unknown-key",
    severity: Severity::Error,
    summary: "a file has a key that Grove does not know",
    documentation: "\
A file has a key that its kind of file does not have.

A key that nobody reads is a setting that somebody believes in and that does nothing. It is mostly a
slip of the pen, a key at the wrong level, or a key of Tutor's that belongs under `config`.

Correct the key or remove it. `grove schema instance` prints every key of a file with its meaning;
editors complete keys from it.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "label: {tier: gold}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    report_misfits(view, findings, MisfitKind::UnknownKey);
}
