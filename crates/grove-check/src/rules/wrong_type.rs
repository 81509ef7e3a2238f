//! A value of the wrong type.

use grove_fleet::shape::MisfitKind;
use grove_yaml::Value;

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    problems::report_misfits,
    rule::{Content, Example, Rule},
    view::{View, secret_entries},
};

pub(crate) const RULE: Rule = Rule {
    id: "wrong-type",
    severity: Severity::Error,
    summary: "a value has another type than its key asks for",
    documentation: "\
A value is of another type than its key asks for, or is none of the words that it may be: a list in
place of a map, a number in place of text, `prod` in place of `production`.

Versions, names and other text that looks like a number or a truth value needs quotes: `tutor: 22.0`
is the number 22.

Write it as the hint says. `grove schema instance` prints every key with what it holds.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "labels: [gold]\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    report_misfits(view, findings, MisfitKind::WrongType);
    for document in view.documents {
        for entry in secret_entries(document) {
            if matches!(entry.value.value, Value::Map(_) | Value::List(_)) {
                findings.add(
                    format!("secret {} is not text", quote(&entry.key)),
                    [Place::bytes(document.real.as_str(), entry.key_span)],
                );
            }
        }
    }
}
