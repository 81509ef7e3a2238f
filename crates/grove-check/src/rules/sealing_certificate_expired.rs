//! A sealing certificate whose time is over.

use grove_fleet::layout;

use crate::{
    Severity, base,
    certificates::lifetimes,
    findings::{Findings, Place, quote},
    rule::{Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "sealing-certificate-expired",
    severity: Severity::Error,
    summary: "a sealing certificate has expired",
    documentation: "\
The validity of `clusters/<cluster>/sealing.pem` has ended.

An expired certificate is a sign that the cluster has a newer key which the fleet does not know, or
that its key was never rotated. Sealing to it is refused.

Save the certificate of a newer key: `kubeseal --fetch-cert > clusters/<cluster>/sealing.pem` prints
the newest that the controller has. What was sealed to the old key can still be opened.",
    example: Example {
        files: &[],
        context: Some(base::after_certificate),
    },
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (name, left, day) in lifetimes(view) {
        if left < 0 {
            findings.add_with_hint(
                format!(
                    "the sealing certificate of {} expired on {day}",
                    quote(name)
                ),
                [Place::file(layout::sealing(name))],
                format!("`kubeseal --fetch-cert > {}`", layout::sealing(name)),
            );
        }
    }
}
