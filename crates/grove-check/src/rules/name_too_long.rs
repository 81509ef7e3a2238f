//! A name that is longer than what it becomes may be.

use grove_fleet::layout::{self, Kind};

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    names::LABEL,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "name-too-long",
    severity: Severity::Error,
    summary: "a name is too long for what it becomes",
    documentation: "\
A name, or two joined, is longer than the 63 characters that Kubernetes allows for labels and
namespaces: a namespace; the names of a group, a distribution, a ring or a client; and
`<cluster>-<instance>`, which is the name of the instance's Argo CD Application and project and the
value of labels on what they make.

Kubernetes would refuse the object, after half of the others are there already.

Choose a shorter name before the first release.",
    example: Example::files(&[(
        "groups/all-the-instances-of-the-universities-of-the-northern-federal-states/group.yaml",
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
            _ => continue,
        };
        look(findings, what, name, || Place::file(document.real.as_str()));
    }
    for (number, ring) in view.fleet.rings.iter().enumerate() {
        look(findings, "a ring", ring, || {
            view.value(layout::FLEET, &["rings", &number.to_string(), "name"])
        });
    }
    for (address, instance) in &view.fleet.instances {
        look(findings, "a client", &instance.client, || {
            view.stated(instance, &["client"])
        });
        look(
            findings,
            "a namespace",
            &instance.identity.namespace,
            || view.value(&layout::instance(address), &["identity", "namespace"]),
        );
        look(findings, "an Application", &address.application(), || {
            Place::file(layout::instance(address))
        });
    }
}

fn look<'a>(
    findings: &mut Findings<'_>,
    what: &str,
    name: &str,
    place: impl FnOnce() -> Place<'a>,
) {
    if name.len() > LABEL {
        findings.add_with_hint(
            format!(
                "the name of {what} has {} characters, more than {LABEL}: {}",
                name.len(),
                quote(name)
            ),
            [place()],
            format!("shorten it by {}", name.len() - LABEL),
        );
    }
}
