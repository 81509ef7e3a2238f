//! Two instances that become one name.

use std::collections::HashMap;

use grove_fleet::{Address, layout};

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "name-clash",
    severity: Severity::Error,
    summary: "two instances become the same Argo CD Application",
    documentation: "\
`<cluster>-<instance>` of two instances is the same: `prod` with `eu-uni` and `prod-eu` with `uni`
are both `prod-eu-uni`.

It is the name of the instance's Application and AppProject. Where one Argo CD serves several
clusters, the two would be one, and each deploy would send one site to the other's cluster.

Rename the newer one (its directory) before it is released.",
    example: Example::files(&[
        (
            "clusters/prod-eu/cluster.yaml",
            Content::Text(include_str!("../base/cluster.yaml")),
        ),
        (
            "clusters/prod-eu/sealing.pem",
            Content::Text(include_str!("../base/sealing.pem")),
        ),
        (
            "clusters/prod/instances/eu-college/instance.yaml",
            Content::Text(include_str!("../base/instance-college.yaml")),
        ),
        (
            "clusters/prod/instances/eu-college/secrets.sops.yaml",
            Content::Text(include_str!("../base/secrets.sops.yaml")),
        ),
        (
            "clusters/prod-eu/instances/college/instance.yaml",
            Content::Text(include_str!("../base/instance-academy.yaml")),
        ),
        (
            "clusters/prod-eu/instances/college/secrets.sops.yaml",
            Content::Text(include_str!("../base/secrets.sops.yaml")),
        ),
    ]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let mut first: HashMap<String, &Address> = HashMap::new();
    for address in view.fleet.instances.keys() {
        let name = address.application();
        let Some(other) = first.get(&name) else {
            first.insert(name, address);
            continue;
        };
        findings.add_with_hint(
            format!(
                "{} and {} both become the Application {}",
                quote(&address.to_string()),
                quote(&other.to_string()),
                quote(&name),
            ),
            [
                Place::file(layout::instance(address)),
                Place::file(layout::instance(other)).label("the other"),
            ],
            "rename one of the two directories",
        );
    }
}
