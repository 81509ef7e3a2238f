//! An engine of a series that its makers support no longer.

use grove_fleet::layout;

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "engine-end-of-life",
    severity: Severity::Warning,
    summary: "a cluster states a version of Argo CD that upstream supports no longer",
    documentation: "\
`argo.versions.argocd` of `cluster.yaml` is of a series that gets no fixes any more, security
fixes among them. Argo CD's makers support their last three series: 3.4, 3.5 and 3.6 when this
Grove was made.

Take the key out, which gives the bundle's default, or state a version of a newer series that
`grove bundle list` has, and run `grove cluster bootstrap` again: it is the upgrade, too.",
    example: Example::files(&[(
        "clusters/prod/cluster.yaml",
        Content::Text(concat!(
            include_str!("../base/cluster.yaml"),
            "argo: {versions: {argocd: \"3.2.11\"}}\n"
        )),
    )]),
    hides_source: false,
    check,
};

/// The oldest series of Argo CD that was supported on 2026-11-22: each release page of upstream names
/// its last three (<https://argo-cd.readthedocs.io/en/stable/developer-guide/release-process-and-cadence/>).
const OLDEST: (u32, u32) = (3, 4);

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for cluster in view.fleet.clusters.values() {
        let Some(version) = &cluster.argocd_version else {
            continue;
        };
        let mut numbers = version.split('.').map(str::parse::<u32>);
        if let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next())
            && (major, minor) < OLDEST
        {
            findings.add_with_hint(
                format!(
                    "Argo CD {} of cluster {} is past its end of life",
                    quote(version),
                    quote(&cluster.name)
                ),
                [view.value(
                    &layout::cluster(&cluster.name),
                    &["argo", "versions", "argocd"],
                )],
                "take it out, or state a version that `grove bundle list` has",
            );
        }
    }
}
