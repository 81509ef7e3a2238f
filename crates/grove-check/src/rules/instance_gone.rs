//! A running instance that the fleet no longer defines.

use grove_fleet::layout;

use crate::{
    Severity, base,
    findings::{Findings, Place, quote},
    rule::{Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "instance-gone",
    severity: Severity::Warning,
    summary: "an instance has releases and is gone from the fleet",
    documentation: "\
The deploy branch of a cluster holds releases of an instance whose directory is no longer in the
fleet.

Absence never means deletion: its last release keeps running and nothing of it is removed. But
nothing can change it either, so the fleet and the cluster no longer say the same.

Bring the directory back: `git log -- clusters/<cluster>/instances/<instance>` finds its last
commit. To end an instance for good, remove it on purpose: its files under `apps/`, `instances/` and
`releases/` in the deploy branch, then its Application and its namespace on the cluster.",
    example: Example {
        files: &[],
        context: Some(base::with_gone_instance),
    },
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let Some(released) = &view.context.released else {
        return;
    };
    for (address, last) in &released.instances {
        let file = layout::instance(address);
        // A file that is there but unreadable has findings of its own.
        if view.fleet.instances.contains_key(address) || view.snapshot.files.contains_key(&file) {
            continue;
        }
        findings.add_with_hint(
            format!(
                "instance {} has releases (the last is {}) and is gone from the fleet",
                quote(&address.to_string()),
                quote(&last.release),
            ),
            [Place::file(file)],
            "bring its directory back; until then its last release stays as it is",
        );
    }
}
