//! A lock that was made from something else.

use grove_fleet::layout;

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "lock-stale",
    severity: Severity::Error,
    summary: "a distribution was edited after it was locked",
    documentation: "\
`distributions/<name>.yaml` says something else than what `<name>.lock` was made from.

Rendering would use the packages of the lock, which are not the ones that the distribution names.

Run `grove lock <name>`. If instances were released with the distribution, do not change it: make
the change under a new name.",
    example: Example::files(&[(
        "distributions/verawood-1.yaml",
        Content::Text("release: verawood\ntutor: \"22.0.2\"\nplugins: {tutor-mfe: \"22.1.0\"}\n"),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (name, distribution) in &view.fleet.distributions {
        let Some(lock) = &distribution.lock else {
            continue;
        };
        if lock.input != distribution.input() {
            findings.add_with_hint(
                format!(
                    "distribution {} was changed after it was locked",
                    quote(name)
                ),
                [
                    Place::file(layout::distribution(name)),
                    Place::file(layout::lock(name)).label("locked from another text"),
                ],
                format!("run `grove lock {name}`"),
            );
        }
    }
}
