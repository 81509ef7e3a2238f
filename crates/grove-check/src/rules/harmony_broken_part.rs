//! Parts of Harmony that do not run as its chart installs them.

use grove_fleet::layout;
use serde_json::Value;

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "harmony-broken-part",
    severity: Severity::Warning,
    summary: "Harmony is told to install something that does not run as its chart has it",
    documentation: "\
`harmony.values` switches on a part of Harmony that cannot work with the other parts of the same
chart, as read in version 0.11.0.

`karpenter`: the chart brings Karpenter 1.0, and objects of the kinds `Provisioner` and
`AWSNodeTemplate`, which Karpenter took out before 1.0. Their Application can never be synced.

`opensearch`: its pods mount the Secret `search-cluster-certificates-elasticsearch`, and the chart
makes `search-cluster-certificates-opensearch`. They never start, unless `secretMounts` names the
right one.

Take the part out of Harmony and install it as an add-on, or state what mends it.",
    example: Example::files(&[(
        "clusters/prod/cluster.yaml",
        Content::Text(concat!(
            include_str!("../base/cluster.yaml"),
            "harmony:\n  version: \"0.11.0\"\n  values:\n    karpenter: {enabled: true}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for cluster in view.fleet.clusters.values() {
        let Some(harmony) = &cluster.harmony else {
            continue;
        };
        let values = &harmony.values;
        let is_on =
            |part: &str| values.pointer(&format!("/{part}/enabled")) == Some(&Value::Bool(true));
        let mut add = |part: &str, why: &str, hint: &str| {
            findings.add_with_hint(
                format!("{} is switched on, and {why}", quote(part)),
                [view.value(
                    &layout::cluster(&cluster.name),
                    &["harmony", "values", part, "enabled"],
                )],
                hint,
            );
        };
        if is_on("karpenter") {
            add(
                "karpenter",
                "its objects are of kinds that Karpenter 1.0 has no more",
                "take it out, and install Karpenter as an add-on",
            );
        }
        if is_on("opensearch") && values.pointer("/opensearch/secretMounts").is_none() {
            add(
                "opensearch",
                "its pods mount a Secret that the chart does not make",
                "state `opensearch.secretMounts` with `search-cluster-certificates-opensearch`",
            );
        }
    }
}
