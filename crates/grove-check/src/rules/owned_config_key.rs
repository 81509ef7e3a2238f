//! A key of Tutor's that Grove sets.

use crate::{
    Severity,
    findings::{Findings, quote},
    owned::owned,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "owned-config-key",
    severity: Severity::Error,
    summary: "`config` sets a key of Tutor's that Grove sets itself",
    documentation: "\
A key under `config` is one that Grove derives from elsewhere: host names from `hosts`, plugins from
`plugins`, images from `images`, the namespace and the id from `identity`, and a few that have one
right value on a cluster, such as `ENABLE_WEB_PROXY`.

Were it set in two places, the Ingress, the certificates and the site could each believe another.

Say it where the hint names, and remove it from `config`.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "config: {ENABLE_WEB_PROXY: true}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        for key in instance.config.keys() {
            let of_service = key
                .strip_suffix("_HOST")
                .map(|service| service.to_ascii_lowercase().replace('_', "-"))
                .filter(|service| instance.hosts.contains_key(service));
            let hint = match of_service {
                Some(service) => format!("set `hosts.{service}` instead"),
                None => match owned(key) {
                    Some(owned) => owned.hint(key),
                    None => continue,
                },
            };
            findings.add_with_hint(
                format!("{} is set by Grove", quote(key)),
                [view.stated_key(instance, &["config", key])],
                hint,
            );
        }
    }
}
