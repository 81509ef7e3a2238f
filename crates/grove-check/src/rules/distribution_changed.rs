//! A released distribution that was edited.

use grove_fleet::layout;

use crate::{
    Severity, base,
    findings::{Findings, Place, quote},
    rule::{Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "distribution-changed",
    severity: Severity::Error,
    summary: "a distribution that instances were released with was changed",
    documentation: "\
`distributions/<name>.yaml` no longer says what it said when an instance was released with it.

A distribution is immutable once it is released: its name must always mean the same Tutor, plugins
and packages, so that a rollback, a rollout from ring to ring and an image's name stay true.

Put the file back as it was (`git log -- distributions/<name>.yaml`), copy it to a new name, change
the copy and lock it with `grove lock <new name>`. Then move instances or rings to the new name.",
    example: Example {
        files: &[],
        context: Some(base::with_other_distribution),
    },
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let Some(released) = &view.context.released else {
        return;
    };
    for (name, last) in &released.distributions {
        let Some(distribution) = view.fleet.distributions.get(name) else {
            continue;
        };
        if distribution.input() == last.input {
            continue;
        }
        findings.add_with_hint(
            format!(
                "distribution {} was changed after {} was released with it",
                quote(name),
                quote(&last.by.to_string()),
            ),
            [Place::file(layout::distribution(name))],
            "restore it and make the change under a new name; then run `grove lock` for that name",
        );
    }
}
