//! Values for an add-on that has none.

use grove_fleet::{addons, layout};

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "addon-values",
    severity: Severity::Error,
    summary: "an add-on of plain manifests is given values",
    documentation: "\
`addons/<name>/` has no `Chart.yaml`, so it is a directory of plain manifests, and these are applied
as they stand: nothing reads the values that `cluster.yaml` gives.

Make it a Helm chart, or write the value into the manifests and take it out of `cluster.yaml`.",
    example: Example::files(&[
        (
            "clusters/prod/cluster.yaml",
            Content::Text(concat!(
                include_str!("../base/cluster.yaml"),
                "addons: {notes: {level: 2}}\n"
            )),
        ),
        (
            "addons/notes/config.yaml",
            Content::Text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: notes}\n"),
        ),
    ]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for cluster in view.fleet.clusters.values() {
        for (name, values) in &cluster.addons {
            let files = addons::addon(view.snapshot, name);
            let has_values = values.as_object().is_some_and(|values| !values.is_empty());
            if has_values && !files.is_empty() && !files.contains_key(addons::CHART_FILE) {
                findings.add_with_hint(
                    format!("nothing reads the values of {}", quote(name)),
                    [view.key(&layout::cluster(&cluster.name), &["addons", name])],
                    "it is no Helm chart; write `{}` and change its manifests",
                );
            }
        }
    }
}
