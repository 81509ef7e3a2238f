//! Images that nobody could pull.

use grove_fleet::layout;

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "pull-secret-missing",
    severity: Severity::Error,
    summary: "an instance lacks the secret with which its images are pulled",
    documentation: "\
`registry.pull_secret` names a secret, and neither the instance nor its groups or cluster has it.

Each pod would name a Secret that is not there, and images of a private registry would not be
pulled.

Its value is a Docker configuration file: `grove secret set CLUSTER REGISTRY_AUTH < config.json`
gives it to every instance of a cluster.",
    example: Example::files(&[(
        "grove.yaml",
        Content::Text(concat!(
            include_str!("../base/grove.yaml"),
            "registry: {push: registry.example.org/openedx, pull_secret: REGISTRY_AUTH}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let Some(name) = &view.fleet.pull_secret else {
        return;
    };
    for instance in view.fleet.instances.values() {
        if instance.secrets.contains_key(name) {
            continue;
        }
        findings.add_with_hint(
            format!("{} has no secret {}", instance.address, quote(name)),
            [view.value(layout::FLEET, &["registry", "pull_secret"])],
            format!("`grove secret set {} {name}`", instance.address.cluster),
        );
    }
}
