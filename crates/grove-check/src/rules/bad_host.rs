//! A host name that is none.

use crate::{
    Severity,
    findings::{Findings, quote},
    names,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-host",
    severity: Severity::Error,
    summary: "a host is not a full host name",
    documentation: "\
A value of `hosts`, or a key of `domains`, is not a host name as DNS and certificates have it: parts
of 1 to 63 lower-case letters, digits and inner dashes, joined by dots, at most 253 characters in
all (RFC 1123).

Kubernetes refuses an Ingress for it, or no certificate is ever issued.

Write the bare name, without scheme, port, path or wildcard; names with other letters than those of
English in their `xn--` form.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "domains: {\"https://shop.uni.example\": {service: lms}}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        for (service, host) in &instance.hosts {
            if let Err((what, hint)) = names::host(host) {
                findings.add_with_hint(
                    format!("host {} {what}", quote(host)),
                    [view.stated(instance, &["hosts", service])],
                    hint,
                );
            }
        }
        for host in instance.domains.keys() {
            if let Err((what, hint)) = names::host(host) {
                findings.add_with_hint(
                    format!("host {} {what}", quote(host)),
                    [view.stated_key(instance, &["domains", host])],
                    hint,
                );
            }
        }
    }
}
