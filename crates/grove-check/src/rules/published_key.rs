//! Secrets that anyone can read, in production.

use grove_fleet::{layout, model::Environment};

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "published-key",
    severity: Severity::Error,
    summary: "a fleet with a published key has an instance in production",
    documentation: "\
`published_key` in `grove.yaml` names the private key that opens the fleet's secrets, and an
instance of the fleet is in production.

With the key beside them, everyone who can read the repository can read the secrets. That is right
for an example or a demonstration, and for nothing else.

Remove `published_key` and its file, give the fleet keys of its own in `.sops.yaml`, and set every
secret anew with `grove secret set`; or set `environment` to what the instance is for.",
    example: Example::files(&[
        (
            "grove.yaml",
            Content::Text(concat!(
                include_str!("../base/grove.yaml"),
                "published_key: key.txt\n"
            )),
        ),
        ("key.txt", Content::Text("the private key\n")),
        (
            "clusters/prod/instances/uni/instance.yaml",
            Content::Text(
                "\
client: uni
environment: production
ring: general
identity: {namespace: uni, id: Zk3jH8sd92LqPw1xVb7nT4cR}
hosts: {lms: learn.uni.example, cms: studio.uni.example}
plugins: {minio: {}}
",
            ),
        ),
        (
            "plugins/minio.yml",
            Content::Text("name: minio\nversion: 1.0.0\n"),
        ),
    ]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    if view.fleet.published_key.is_none() {
        return;
    }
    let mut in_production = view
        .fleet
        .instances
        .values()
        .filter(|instance| instance.environment == Environment::Production);
    if let Some(instance) = in_production.next() {
        findings.add_with_hint(
            format!(
                "anyone can read the secrets of this fleet, and {} is in production",
                quote(&instance.address.to_string())
            ),
            [
                view.value(layout::FLEET, &["published_key"]),
                view.stated(instance, &["environment"]),
            ],
            "remove the key and make every secret new, or say what the instance is for",
        );
    }
}
