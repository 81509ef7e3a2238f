//! A further name for a service that is not served.

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
    words::near,
};

pub(crate) const RULE: Rule = Rule {
    id: "unknown-service",
    severity: Severity::Error,
    summary: "a domain leads to a service that the instance does not name",
    documentation: "\
`domains.<name>.service` is no key of the instance's `hosts`.

The domain would have a certificate and nothing behind it.

Use one of the services under `hosts`, or give the service a name of its own there.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "domains: {shop.uni.example: {service: lsm}}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        for (host, domain) in &instance.domains {
            if instance.hosts.contains_key(&domain.service) {
                continue;
            }
            findings.add_with_hint(
                format!(
                    "there is no service {} under `hosts`",
                    quote(&domain.service)
                ),
                [view.stated(instance, &["domains", host, "service"])],
                near(&domain.service, instance.hosts.keys())
                    .unwrap_or_else(|| "name its host under `hosts`".to_owned()),
            );
        }
    }
}
