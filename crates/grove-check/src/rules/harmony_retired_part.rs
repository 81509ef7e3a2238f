//! Parts of Harmony whose makers gave them up.

use grove_fleet::layout;
use serde_json::Value;

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "harmony-retired-part",
    severity: Severity::Warning,
    summary: "Harmony is told to install something that gets no fixes any more",
    documentation: "\
`harmony.values` switches on a part whose makers have given it up. There are no security fixes for
it any more.

`ingress-nginx` was retired in March 2026; Harmony 0.11 has it beside Traefik for the change-over,
and 0.12 has it no more. Grove switches it off and Traefik on where nothing is said. The dashboard
of `k8sdashboard` comes from Kubernetes' archive of retired projects.

Take the key out. For the change-over of a running cluster, switch on both controllers, move the
instances by `ingress.class`, and then switch off the old one.",
    example: Example::files(&[(
        "clusters/prod/cluster.yaml",
        Content::Text(concat!(
            include_str!("../base/cluster.yaml"),
            "harmony:\n  version: \"0.11.0\"\n  values:\n    ingress-nginx: {enabled: true}\n"
        )),
    )]),
    hides_source: false,
    check,
};

/// Key of the values, and what it is.
const RETIRED: [(&str, &str); 2] = [
    ("ingress-nginx", "ingress-nginx was retired in March 2026"),
    ("k8sdashboard", "the Kubernetes dashboard is retired"),
];

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for cluster in view.fleet.clusters.values() {
        let Some(harmony) = &cluster.harmony else {
            continue;
        };
        for (part, why) in RETIRED {
            if harmony.values.pointer(&format!("/{part}/enabled")) == Some(&Value::Bool(true)) {
                findings.add_with_hint(
                    format!("{} is switched on, and {why}", quote(part)),
                    [view.value(
                        &layout::cluster(&cluster.name),
                        &["harmony", "values", part, "enabled"],
                    )],
                    "take it out",
                );
            }
        }
    }
}
