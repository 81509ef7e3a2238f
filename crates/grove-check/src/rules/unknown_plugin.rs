//! The name of a plugin that is not there.

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
    words::near,
};

pub(crate) const RULE: Rule = Rule {
    id: "unknown-plugin",
    severity: Severity::Error,
    summary: "an instance enables a plugin that neither its distribution nor a file brings",
    documentation: "\
A key of `plugins` is no plugin of the instance's distribution, and no file `plugins/<name>.py` or
`.yml` of the instance or of the fleet.

Tutor steps over a plugin that it cannot find, and the site would come up without it.

Use the name that Tutor shows in `tutor plugins list` (`mfe`, not the package `tutor-mfe`). To add a
plugin, name its package in a new distribution and lock it, or put its file under `plugins/`.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(
            "client: uni
environment: staging
ring: general
identity: {namespace: uni, id: Zk3jH8sd92LqPw1xVb7nT4cR}
hosts: {lms: learn.uni.example, cms: studio.uni.example}
plugins: {mfee: {}}
",
        ),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        let Some(lock) = view
            .fleet
            .distributions
            .get(&instance.distribution)
            .and_then(|distribution| distribution.lock.as_ref())
        else {
            continue;
        };
        for name in &instance.plugins {
            if lock.plugins.contains_key(name) || instance.plugin_files.contains_key(name) {
                continue;
            }
            // Operators know packages; Tutor has another name for each.
            let of_package = lock
                .plugins
                .iter()
                .find(|(_, plugin)| plugin.package == *name)
                .map(|(plugin, _)| {
                    format!("the plugin of package {} is {}", quote(name), quote(plugin))
                });
            findings.add_with_hint(
                format!(
                    "there is no plugin {} in distribution {} or under `plugins/`",
                    quote(name),
                    quote(&instance.distribution)
                ),
                [view.stated_key(instance, &["plugins", name])],
                of_package
                    .or_else(|| near(name, lock.plugins.keys()))
                    .unwrap_or_else(|| {
                        "add its package to a new distribution, or its file".to_owned()
                    }),
            );
        }
    }
}
