//! A sealing certificate that is none.

use grove_fleet::{File, layout};

use crate::{
    Severity,
    findings::{Findings, Place},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "sealing-certificate-unreadable",
    severity: Severity::Error,
    summary: "a sealing certificate is not a certificate",
    documentation: "\
`clusters/<cluster>/sealing.pem` is there, but holds no X.509 certificate in PEM form.

Nothing can be sealed to it. A private key or a page of a login form, saved in its place, looks
like this too; a private key must never be here.

Save the controller's certificate again: `kubeseal --fetch-cert > clusters/<cluster>/sealing.pem`.",
    example: Example::files(&[(
        "clusters/prod/sealing.pem",
        Content::Text("not a certificate\n"),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (name, cluster) in &view.fleet.clusters {
        let file = layout::sealing(name);
        // A file that could not be read at all has a finding of its own.
        if cluster.sealing.is_some()
            || !matches!(view.snapshot.files.get(&file), Some(File::Bytes(_)))
        {
            continue;
        }
        findings.add_with_hint(
            "this is not an X.509 certificate in PEM form",
            [Place::file(file)],
            format!("`kubeseal --fetch-cert > {}`", layout::sealing(name)),
        );
    }
}
