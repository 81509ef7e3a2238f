//! What only an image of one's own has.

use crate::{
    Severity,
    check::{
        findings::Findings,
        rule::{Content, Example, Rule},
        view::View,
    },
    model::Instance,
};

pub(crate) const RULE: Rule = Rule {
    id: "image-lacks",
    severity: Severity::Error,
    summary: "an instance needs more than Tutor's own image has, and names no other",
    documentation: "\
`packages` or `theme.git` is stated, and `images.openedx` names no image. Both are built into an
image; the one that Tutor names has neither, and a site whose settings rely on a package that is not
there does not start.

`grove image context SELECTOR openedx --out DIR` writes what a builder needs and says how to call
one. State the image that it pushed, with its digest, as `images: {openedx: {ref: …}}`; both can be
one commit.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "packages: {shop-xblock: 1.0.2}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        let Some(route) = needs_own(instance) else {
            continue;
        };
        if !instance.images.contains_key("openedx") {
            findings.add_with_hint(
                "this is built into an image, and `images.openedx` names none",
                [view.stated_key(instance, route)],
                format!(
                    "`grove image context {} openedx --out DIR`",
                    instance.address
                ),
            );
        }
    }
}

/// What the image needs that Tutor's own lacks.
fn needs_own(instance: &Instance) -> Option<&'static [&'static str]> {
    if !instance.build.packages.is_empty() {
        return Some(&["packages"]);
    }
    instance.theme.git.is_some().then_some(&["theme", "git"])
}
