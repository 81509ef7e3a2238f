//! An exception from Pod Security that nobody can judge.

use grove_fleet::model::PodSecurityLevel;

use crate::{
    Severity,
    findings::Findings,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-pod-security",
    severity: Severity::Error,
    summary: "an instance's pods may do everything, and it is not said why",
    documentation: "\
`pod_security.level` is `privileged`, and `reason` says nothing.

A pod of that namespace may run as root on its node and read what other instances have there.
Whoever reads the fleet later has to know which part needs it, and when it may go.

State the part and the cause, as `reason: The scorm plugin mounts a host path until 1.4`.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "pod_security: {level: privileged}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        let security = &instance.pod_security;
        let is_said = security
            .reason
            .as_ref()
            .is_some_and(|reason| !reason.trim().is_empty());
        if security.level == PodSecurityLevel::Privileged && !is_said {
            findings.add_with_hint(
                "`privileged` needs a reason",
                [view.stated(instance, &["pod_security", "level"])],
                "`pod_security: {level: privileged, reason: …}`".to_owned(),
            );
        }
    }
}
