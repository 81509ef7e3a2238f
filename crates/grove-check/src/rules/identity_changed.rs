//! An identity that is not the one that was released.

use grove_fleet::layout;

use crate::{
    Severity, base,
    findings::{Findings, quote},
    rule::{Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "identity-changed",
    severity: Severity::Error,
    summary: "an instance's identity is not the one of its releases",
    documentation: "\
`identity.namespace` or `identity.id` differs from what the instance's last release holds.

Both are written once and never changed: the id is part of selectors that Kubernetes does not let
change and of names of indexes and buckets, and another namespace has other volumes. Deployed, the
change would start a second, empty site beside the one that runs.

Write the released values back. An instance that shall live elsewhere is a new one, to which the
data is taken.",
    example: Example {
        files: &[],
        context: Some(base::with_other_identity),
    },
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let Some(released) = &view.context.released else {
        return;
    };
    for (address, last) in &released.instances {
        let Some(instance) = view.fleet.instances.get(address) else {
            continue;
        };
        let fields = [
            (
                "namespace",
                &instance.identity.namespace,
                &last.identity.namespace,
            ),
            ("id", &instance.identity.id, &last.identity.id),
        ];
        for (key, stated, released) in fields {
            // An empty one is missing, which is a finding of its own.
            if stated == released || stated.is_empty() {
                continue;
            }
            findings.add_with_hint(
                format!(
                    "the identity of {} changed: {key} was {} in release {}",
                    quote(&address.to_string()),
                    quote(released),
                    quote(&last.release),
                ),
                [view.value(&layout::instance(address), &["identity", key])],
                format!("write {} again; an identity never changes", quote(released)),
            );
        }
    }
}
