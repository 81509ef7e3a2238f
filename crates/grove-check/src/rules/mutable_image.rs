//! An image that the fleet names by tag alone.

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "mutable-image",
    severity: Severity::Warning,
    summary: "an image is stated by a tag that can come to mean something else",
    documentation: "\
`images.<component>.ref` names an image by tag, without a digest.

A tag can be pushed again. A pod that starts later, on another node or after a rollback, can then
run other code than the one that was released, and nothing in Git shows it.

Add the digest: `registry.example.org/openedx:22@sha256:…` keeps the tag for people and pins the
bytes. `docker buildx imagetools inspect IMAGE` or `crane digest IMAGE` prints it. Tutor's own
default images are exempt; their tag stands in the release.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "images:\n  openedx: {ref: \"registry.example.org/openedx:22\"}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        for (component, image) in &instance.images {
            if image.reference.contains("@sha256:") {
                continue;
            }
            findings.add_with_hint(
                format!(
                    "image {} is named by a tag, which can be moved",
                    quote(&image.reference)
                ),
                [view.stated(instance, &["images", component, "ref"])],
                "add its digest: `name:tag@sha256:…`",
            );
        }
    }
}
