//! A sealing certificate whose time is soon over.

use grove_fleet::layout;

use crate::{
    Severity, base,
    certificates::{SOON, lifetimes},
    findings::{Findings, Place, quote},
    rule::{Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "sealing-certificate-expires",
    severity: Severity::Warning,
    summary: "a sealing certificate expires within 30 days",
    documentation: "\
The validity of `clusters/<cluster>/sealing.pem` ends within 30 days. After that day nothing of the
cluster can be deployed.

Save the certificate of a newer key: `kubeseal --fetch-cert > clusters/<cluster>/sealing.pem` prints
the newest that the controller has. What was sealed to the older key can still be opened.",
    example: Example {
        files: &[],
        context: Some(base::before_end_of_certificate),
    },
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (name, left, day) in lifetimes(view) {
        if (0..SOON).contains(&left) {
            findings.add_with_hint(
                format!(
                    "the sealing certificate of {} expires on {day}",
                    quote(name)
                ),
                [Place::file(layout::sealing(name))],
                format!("`kubeseal --fetch-cert > {}`", layout::sealing(name)),
            );
        }
    }
}
