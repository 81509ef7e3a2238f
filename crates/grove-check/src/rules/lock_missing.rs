//! A distribution without a lock.

use grove_fleet::layout;

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "lock-missing",
    severity: Severity::Error,
    summary: "a distribution has no lock",
    documentation: "\
`distributions/<name>.yaml` has no `<name>.lock` beside it.

The lock holds every package of the distribution with its hash. Only from it is a Python environment
made, so that everybody renders with the same code; without it nothing that uses the distribution
can be rendered.

Run `grove lock <name>` and commit the file that it writes.",
    example: Example::files(&[("distributions/verawood-1.lock", Content::Absent)]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for name in view.fleet.distributions.keys() {
        if !view.snapshot.files.contains_key(&layout::lock(name)) {
            findings.add_with_hint(
                format!("distribution {} has no lock", quote(name)),
                [Place::file(layout::distribution(name))],
                format!(
                    "run `grove lock {name}` and commit `{}`",
                    layout::lock(name)
                ),
            );
        }
    }
}
