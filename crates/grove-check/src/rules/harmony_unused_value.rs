//! Values that no template of Harmony reads.

use grove_fleet::{layout, model::Cluster};

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
    words::near,
};

pub(crate) const RULE: Rule = Rule {
    id: "harmony-unused-value",
    severity: Severity::Warning,
    summary: "a value of Harmony is read by none of its templates",
    documentation: "\
A key of `harmony.values` is none that Harmony's chart reads. Helm takes it without a word, and
nothing happens.

At the top stand the chart's own values (`clusterDomain`, `notificationEmail`) and a key for each
chart that it depends on, by the alias that it has there: `prometheusstack`, not
`kube-prometheus-stack`. `cert-manager.email` stands in Harmony's own example and is read by
nothing; the issuer's address is `notificationEmail`.

Use the name that the chart reads. What a newer chart has is known to a newer Grove.",
    example: Example::files(&[(
        "clusters/prod/cluster.yaml",
        Content::Text(concat!(
            include_str!("../base/cluster.yaml"),
            "harmony:\n  version: \"0.11.0\"\n  values:\n    cert-manager: {email: ops@acme.example}\n"
        )),
    )]),
    hides_source: false,
    check,
};

/// What is read at the top of the values of Harmony 0.11.0 (`values.yaml`, `Chart.yaml`), and what
/// Helm itself reads there.
const KNOWN: [&str; 15] = [
    "cert-manager",
    "clusterDomain",
    "elasticsearch",
    "global",
    "ingress-nginx",
    "k8sdashboard",
    "karpenter",
    "metricsserver",
    "notificationEmail",
    "opensearch",
    "prometheusstack",
    "traefik",
    "vector",
    "velero",
    "vpa",
];

/// Names that a chart has, and its alias in Harmony.
const ALIASES: [(&str, &str); 4] = [
    ("kube-prometheus-stack", "prometheusstack"),
    ("kubernetes-dashboard", "k8sdashboard"),
    ("metrics-server", "metricsserver"),
    ("vertical-pod-autoscaler", "vpa"),
];

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for cluster in view.fleet.clusters.values() {
        let Some(harmony) = &cluster.harmony else {
            continue;
        };
        for key in harmony
            .values
            .as_object()
            .into_iter()
            .flat_map(|values| values.keys())
        {
            if KNOWN.contains(&key.as_str()) {
                continue;
            }
            let alias = ALIASES.iter().find(|(name, _)| name == key);
            let hint = match alias {
                Some((_, alias)) => Some(format!("Harmony calls it `{alias}`")),
                None => near(key, KNOWN),
            };
            add(view, findings, cluster, &[key], hint);
        }
        if harmony.values.pointer("/cert-manager/email").is_some() {
            let hint = "the issuer's address is `notificationEmail`, beside `cert-manager`";
            add(
                view,
                findings,
                cluster,
                &["cert-manager", "email"],
                Some(hint.to_owned()),
            );
        }
    }
}

fn add(
    view: &View<'_>,
    findings: &mut Findings<'_>,
    cluster: &Cluster,
    key: &[&str],
    hint: Option<String>,
) {
    let route = [&["harmony", "values"], key].concat();
    findings.add_with_hint(
        format!("nothing in Harmony reads {}", quote(&key.join("."))),
        [view.key(&layout::cluster(&cluster.name), &route)],
        hint.unwrap_or_else(|| "take it out".to_owned()),
    );
}
