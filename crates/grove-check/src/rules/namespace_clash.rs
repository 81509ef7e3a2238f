//! Two instances in one namespace.

use std::collections::HashMap;

use grove_fleet::{Address, layout};

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "namespace-clash",
    severity: Severity::Error,
    summary: "two instances of a cluster have the same namespace",
    documentation: "\
`identity.namespace` of two instances of one cluster is the same.

A namespace is one instance: its objects have the same names as those of any other (`lms`, `mysql`),
and its secrets are sealed to the namespace. Two in one would overwrite each other at every sync.

Give the newer one a namespace of its own. If it was made by copying a directory, give it a new
identity too; `grove new instance` writes one.",
    example: Example::files(&[
        (
            "clusters/prod/instances/college/instance.yaml",
            Content::Text(
                "client: college
environment: staging
ring: general
identity: {namespace: uni, id: m5GhQ2yW8eXa6JdK1sFzN9uL}
hosts: {lms: learn.college.example, cms: studio.college.example}
",
            ),
        ),
        (
            "clusters/prod/instances/college/secrets.sops.yaml",
            Content::Text(include_str!("../base/secrets.sops.yaml")),
        ),
    ]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let mut first: HashMap<(&str, &str), &Address> = HashMap::new();
    for (address, instance) in &view.fleet.instances {
        let namespace = instance.identity.namespace.as_str();
        if namespace.is_empty() {
            continue;
        }
        let other = *first
            .entry((&address.cluster, namespace))
            .or_insert(address);
        if other == address {
            continue;
        }
        let route = ["identity", "namespace"];
        findings.add(
            format!(
                "{} and {} have the same namespace {}",
                quote(&address.to_string()),
                quote(&other.to_string()),
                quote(namespace),
            ),
            [
                view.value(&layout::instance(address), &route)
                    .label("again"),
                view.value(&layout::instance(other), &route)
                    .label("first here"),
            ],
        );
    }
}
