//! Instances of a cluster that is not there.

use grove_fleet::layout;

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    rule::{Content, Example, Rule},
    view::View,
    words::near,
};

pub(crate) const RULE: Rule = Rule {
    id: "unknown-cluster",
    severity: Severity::Error,
    summary: "a directory holds instances but is no cluster",
    documentation: "\
`clusters/<name>/instances/` has instances, but there is no `clusters/<name>/cluster.yaml`.

Its instances belong to a cluster that the fleet knows nothing about, so none of them can be
rendered. A directory that was renamed or misspelt looks like this.

Move the instances to the cluster that they belong to, or describe it with `grove new cluster`.",
    example: Example::files(&[
        (
            "clusters/prd/instances/college/instance.yaml",
            Content::Text(include_str!("../base/instance-college.yaml")),
        ),
        (
            "clusters/prd/instances/college/secrets.sops.yaml",
            Content::Text(include_str!("../base/secrets.sops.yaml")),
        ),
    ]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let mut last = None;
    for path in view.snapshot.files.keys() {
        let mut steps = path.split('/');
        let (Some("clusters"), Some(name), Some("instances")) =
            (steps.next(), steps.next(), steps.next())
        else {
            continue;
        };
        if last == Some(name) || view.snapshot.files.contains_key(&layout::cluster(name)) {
            continue;
        }
        last = Some(name);
        findings.add_with_hint(
            format!("there is no cluster {}, but it has instances", quote(name)),
            [Place::file(path.as_str())],
            near(name, view.fleet.clusters.keys())
                .unwrap_or_else(|| "describe it with `grove new cluster`".to_owned()),
        );
    }
}
