//! The name of an add-on that is not there.

use grove_fleet::{addons, layout};

use crate::{
    Severity,
    findings::{Findings, quote},
    names,
    rule::{Content, Example, Rule},
    view::View,
    words::near,
};

pub(crate) const RULE: Rule = Rule {
    id: "unknown-addon",
    severity: Severity::Error,
    summary: "a cluster switches on an add-on that is neither Grove's nor the fleet's",
    documentation: "\
A key of `addons` in `cluster.yaml` is no add-on that Grove carries, and the fleet has no directory
`addons/<name>/` with a Helm chart or plain manifests.

An add-on's name becomes the name of an Argo CD Application and of a namespace: lower-case letters,
digits and dashes. `apps`, `cluster`, `harmony` and names that end in `-crds` are Grove's own.",
    example: Example::files(&[(
        "clusters/prod/cluster.yaml",
        Content::Text(concat!(
            include_str!("../base/cluster.yaml"),
            "addons: {maintenance-page: {}}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for cluster in view.fleet.clusters.values() {
        for name in cluster.addons.keys() {
            let place = view.key(&layout::cluster(&cluster.name), &["addons", name]);
            if let Err(wrong) = names::label(name) {
                findings.add(
                    format!("the name of the add-on {} {wrong}", quote(name)),
                    [place],
                );
            } else if addons::is_reserved(name) {
                findings.add_with_hint(
                    format!("the name {} is one of Grove's own", quote(name)),
                    [place],
                    "give the add-on another name",
                );
            } else if addons::addon(view.snapshot, name).is_empty() {
                findings.add_with_hint(
                    format!("there is no add-on {}", quote(name)),
                    [place],
                    near(name, addons::carried()).unwrap_or_else(|| {
                        format!(
                            "put a Helm chart or manifests into `{}/`",
                            addons::directory(name)
                        )
                    }),
                );
            }
        }
    }
}
