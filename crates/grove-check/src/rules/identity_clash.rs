//! Two instances with one id.

use std::collections::HashMap;

use grove_fleet::{Address, layout};

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "identity-clash",
    severity: Severity::Error,
    summary: "two instances have the same id",
    documentation: "\
`identity.id` of two instances of the fleet is the same.

The id tells instances apart wherever they share something: search indexes, buckets, databases,
telemetry. A copied directory brings its id along.

Give the newer instance an id of its own: `grove new instance` writes one at random.",
    example: Example::files(&[
        (
            "clusters/prod/instances/college/instance.yaml",
            Content::Text(
                "client: college
environment: staging
ring: general
identity: {namespace: college, id: Zk3jH8sd92LqPw1xVb7nT4cR}
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
    let mut first: HashMap<&str, &Address> = HashMap::new();
    for (address, instance) in &view.fleet.instances {
        let id = instance.identity.id.as_str();
        if id.is_empty() {
            continue;
        }
        let other = *first.entry(id).or_insert(address);
        if other == address {
            continue;
        }
        let route = ["identity", "id"];
        findings.add(
            format!(
                "{} and {} have the same id {}",
                quote(&address.to_string()),
                quote(&other.to_string()),
                quote(id),
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
