//! A cluster without a certificate to seal to.

use grove_fleet::layout;

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "sealing-certificate-missing",
    severity: Severity::Error,
    summary: "a cluster has no sealing certificate",
    documentation: "\
`clusters/<cluster>/sealing.pem` is not there.

Secrets are sealed to the public key in this certificate, so that nothing but the cluster's Sealed
Secrets controller can open them. Without it nothing of the cluster can be deployed.

`grove new cluster` makes the key pair with the cluster. For a cluster that has a controller
already, save its certificate with `kubeseal --fetch-cert > clusters/<cluster>/sealing.pem`.",
    example: Example::files(&[("clusters/prod/sealing.pem", Content::Absent)]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for name in view.fleet.clusters.keys() {
        let file = layout::sealing(name);
        if view.snapshot.files.contains_key(&file) {
            continue;
        }
        findings.add_with_hint(
            format!("cluster {} has no sealing certificate", quote(name)),
            [Place::file(file)],
            format!("`kubeseal --fetch-cert > {}`", layout::sealing(name)),
        );
    }
}
