//! A name with characters that what it becomes does not take.

use grove_fleet::layout::{self, Kind};

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    names,
    rule::{Content, Example, Rule},
    view::{View, secret_entries},
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-name",
    severity: Severity::Error,
    summary: "a name has characters that it cannot have",
    documentation: "\
The name of the fleet, a cluster, an instance, a stack, a group, a distribution, a ring or a
client has other characters than lower-case letters, digits and inner dashes; or the name of a
secret has others than capital letters, digits and underscores.

The first become names and labels of objects of Kubernetes, branches of Git and paths; the second
stand in configuration as variables do.

Rename the directory or file, or correct the key. Do it before the first release: to what is
released, another name is another cluster or instance.",
    example: Example::files(&[(
        "groups/big_ones/group.yaml",
        Content::Text("labels: {tier: gold}\n"),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for document in view.documents {
        let (what, name) = match &document.kind {
            Kind::Distribution(name) => ("a distribution", name),
            Kind::Group(name) => ("a group", name),
            Kind::Cluster(name) => ("a cluster", name),
            Kind::Instance(address) => ("an instance", &address.instance),
            _ => continue,
        };
        look(findings, what, name, || Place::file(document.real.as_str()));
    }
    if view
        .root(layout::FLEET)
        .is_some_and(|root| root.get("name").is_some())
    {
        look(findings, "the fleet", &view.fleet.name, || {
            view.value(layout::FLEET, &["name"])
        });
    }
    for (address, place) in view.stated_stacks() {
        look(findings, "a stack", &address.stack, || place);
    }
    for document in view.documents {
        if let Kind::Stack(address) = &document.kind {
            look(findings, "a stack", &address.stack, || {
                Place::file(document.real.as_str())
            });
        }
    }
    for (number, ring) in view.fleet.rings.iter().enumerate() {
        look(findings, "a ring", ring, || {
            view.value(layout::FLEET, &["rings", &number.to_string(), "name"])
        });
    }
    for instance in view.fleet.instances.values() {
        // One that is not there at all is missing.
        if !instance.client.is_empty() || view.is_stated(instance, &["client"]) {
            look(findings, "a client", &instance.client, || {
                view.stated(instance, &["client"])
            });
        }
    }
    secrets(view, findings);
}

/// Names that become labels of DNS.
fn look<'a>(
    findings: &mut Findings<'_>,
    what: &str,
    name: &str,
    place: impl FnOnce() -> Place<'a>,
) {
    if let Err(why) = names::label(name) {
        findings.add_with_hint(
            format!("the name of {what} {why}: {}", quote(name)),
            [place()],
            "such as `uni-2`",
        );
    }
}

/// Names of secrets that instances may use.
fn secrets(view: &View<'_>, findings: &mut Findings<'_>) {
    for document in view.documents {
        for entry in secret_entries(document) {
            if !names::is_secret_name(&entry.key) {
                findings.add_with_hint(
                    format!(
                        "the name of a secret has other characters than capital letters, digits and \
                         underscores: {}",
                        quote(&entry.key)
                    ),
                    [Place::bytes(document.real.as_str(), entry.key_span)],
                    "such as `SMTP_PASSWORD`",
                );
            }
        }
    }
}
