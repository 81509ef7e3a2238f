//! The name of a ring that is not there.

use grove_fleet::layout;

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
    words::near,
};

pub(crate) const RULE: Rule = Rule {
    id: "unknown-ring",
    severity: Severity::Error,
    summary: "an instance is in a ring that the fleet does not have",
    documentation: "\
`ring` names no entry of `rings` in `grove.yaml`.

The instance would get none of the ring's defaults, and no rollout would ever reach it.

Correct the name, or add the ring to `grove.yaml` at its place in the order.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(
            "client: uni
environment: staging
ring: genral
distribution: verawood-1
identity: {namespace: uni, id: Zk3jH8sd92LqPw1xVb7nT4cR}
hosts: {lms: learn.uni.example, cms: studio.uni.example}
",
        ),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    // Rings may stand behind the place where reading ended.
    if view.has_problems(layout::FLEET) {
        return;
    }
    for instance in view.fleet.instances.values() {
        let Some(name) = &instance.ring else { continue };
        if view.fleet.rings.contains(name) {
            continue;
        }
        findings.add_with_hint(
            format!("there is no ring {}", quote(name)),
            [view.stated(instance, &["ring"])],
            near(name, &view.fleet.rings)
                .unwrap_or_else(|| "add it to `rings` in `grove.yaml`".to_owned()),
        );
    }
}
