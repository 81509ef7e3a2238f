//! What only an image of one's own has.

use grove_fleet::model::{Instance, Mfe};

use crate::{
    Severity,
    findings::Findings,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "image-lacks",
    severity: Severity::Error,
    summary: "an instance needs more than Tutor's own image has, and names no other",
    documentation: "\
`packages`, `theme.git` or what Indigo is built with is stated, and `images.openedx` names no image;
or a micro-frontend has a repository or a version, and `images.mfe` names none. All of it is built
into an image. The one that Tutor names has none of it, and a site whose settings rely on a package
that is not there does not start.

`grove image context SELECTOR IMAGE --out DIR` writes what a builder needs, and says how to call it.
State the image that it pushed, with its digest, as `images: {openedx: {ref: …}}`; both can be
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
        let needs = [
            ("openedx", needs_openedx(instance)),
            ("mfe", needs_mfe(instance)),
        ];
        for (image, route) in needs {
            let Some(route) = route else { continue };
            if !instance.images.contains_key(image) {
                findings.add_with_hint(
                    format!("this is built into an image, and `images.{image}` names none"),
                    [view.stated_key(instance, &route)],
                    format!(
                        "`grove image context {} {image} --out DIR`",
                        instance.address
                    ),
                );
            }
        }
    }
}

/// What the image `openedx` needs that Tutor's own lacks.
fn needs_openedx(instance: &Instance) -> Option<Vec<&str>> {
    if !instance.build.packages.is_empty() {
        return Some(vec!["packages"]);
    }
    if instance.theme.git.is_some() {
        return Some(vec!["theme", "git"]);
    }
    let mut built = instance.theme.indigo.keys();
    built
        .any(|key| key != "footer")
        .then(|| vec!["theme", "indigo"])
}

/// The same of the image `mfe`; one that is left out may be in the image.
fn needs_mfe(instance: &Instance) -> Option<Vec<&str>> {
    let mut mfes = instance.mfes.iter();
    let is_built = |mfe: &Mfe| mfe.enabled && (mfe.repository.is_some() || mfe.version.is_some());
    let (name, _) = mfes.find(|(_, mfe)| is_built(mfe))?;
    Some(vec!["mfes", name])
}
