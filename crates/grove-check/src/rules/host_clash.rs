//! One host name in two places.

use std::collections::HashMap;

use grove_fleet::model::Instance;

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "host-clash",
    severity: Severity::Error,
    summary: "a host name stands in two places",
    documentation: "\
The same name stands twice among the `hosts` and `domains` of all instances of all clusters.

A name leads to one place. Two instances on a cluster would take turns in answering, and on two
clusters both would ask for certificates that only one can prove.

Give one of them another name. To move a name from one instance to another, remove it from the old
one and deploy that first.",
    example: Example::files(&[
        (
            "clusters/prod/instances/college/instance.yaml",
            Content::Text(
                "client: college
environment: staging
ring: general
identity: {namespace: college, id: m5GhQ2yW8eXa6JdK1sFzN9uL}
hosts: {lms: learn.college.example, cms: studio.uni.example}
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

/// Where one name stands: the instance and the keys.
type Use<'a> = (&'a Instance, [&'a str; 2]);

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let mut first: HashMap<String, Use<'_>> = HashMap::new();
    for instance in view.fleet.instances.values() {
        let hosts = instance
            .hosts
            .iter()
            .map(|(service, host)| (host, ["hosts", service.as_str()]));
        let domains = instance
            .domains
            .keys()
            .map(|host| (host, ["domains", host.as_str()]));
        for (host, route) in hosts.chain(domains) {
            let name = host.trim_end_matches('.').to_ascii_lowercase();
            if name.is_empty() {
                continue;
            }
            let Some(other) = first.get(&name) else {
                first.insert(name, (instance, route));
                continue;
            };
            findings.add(
                format!(
                    "host {} of {} is also a host of {}",
                    quote(&name),
                    quote(&instance.address.to_string()),
                    quote(&other.0.address.to_string()),
                ),
                [
                    place(view, (instance, route)).label("again"),
                    place(view, *other).label("first here"),
                ],
            );
        }
    }
}

/// Hosts are values, domains are keys.
fn place<'a>(view: &View<'a>, (instance, route): Use<'a>) -> Place<'a> {
    if route[0] == "hosts" {
        view.stated(instance, &route)
    } else {
        view.stated_key(instance, &route)
    }
}
