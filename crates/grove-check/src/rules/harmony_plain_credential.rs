//! A credential among Harmony's values.

use grove_fleet::layout;
use serde_json::Value;

use crate::{
    Severity,
    findings::Findings,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "harmony-plain-credential",
    severity: Severity::Error,
    summary: "a credential stands in plain text among Harmony's values",
    documentation:
        "\
`velero.credentials.secretContents` holds the keys of the bucket for backups. As a value of the
chart it would stand in plain text in the fleet, in the deploy repository, and in the Application
for everyone who may look at Argo CD.

Seal it: make a SealedSecret of it with `kubeseal --cert clusters/<cluster>/sealing.pem`, put that
into an add-on of plain manifests (`addons/<name>/`), and name the Secret in
`velero.credentials.existingSecret`. Write a new key at the provider: this one is in Git's history.",
    example: Example::files(&[(
        "clusters/prod/cluster.yaml",
        Content::Text(concat!(
            include_str!("../base/cluster.yaml"),
            "harmony:\n  version: \"0.11.0\"\n  values:\n    velero:\n      credentials:\n        secretContents: {cloud: \"[default]\"}\n"
        )),
    )]),
    hides_source: true,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let route = ["velero", "credentials", "secretContents"];
    for cluster in view.fleet.clusters.values() {
        let Some(harmony) = &cluster.harmony else {
            continue;
        };
        let found = harmony.values.pointer(&format!("/{}", route.join("/")));
        if found.is_some_and(|value| !matches!(value, Value::Null)) {
            let route = [&["harmony", "values"][..], &route].concat();
            findings.add_with_hint(
                "Velero's credentials stand in plain text",
                [view.key(&layout::cluster(&cluster.name), &route)],
                "seal them, and name their Secret in `velero.credentials.existingSecret`",
            );
        }
    }
}
