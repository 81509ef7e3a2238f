//! Micro-frontends and themes that could not be served.

use crate::{
    Severity,
    check::{
        findings::{Findings, quote},
        rule::{Content, Example, Rule},
        view::View,
    },
    model::{Instance, Mfe},
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-frontend",
    severity: Severity::Error,
    summary: "`mfes` or `theme` says what could not be served",
    documentation: "\
`mfes` is stated without the plugin `mfe`; a micro-frontend has a name that is no part of an
address, or a repository or version with signs that a Dockerfile or a shell would read; or a style
sheet of `theme.tokens` has no `https` address.

Names and addresses stand in Caddy's configuration and in the files that images are built from,
where other signs would be read as more than a name.

Turn the plugin on with `plugins: {mfe: {}}`; names are of small letters, digits and dashes.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "theme: {tokens: {core: {brand: \"http://cdn.uni.example/core.css\"}}}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        mfes(view, instance, findings);
        for (variant, tokens) in &instance.theme.tokens {
            for (key, address) in [("default", &tokens.default), ("brand", &tokens.brand)] {
                let Some(address) = address else { continue };
                let rest = address.strip_prefix("https://");
                if !rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
                {
                    findings.add(
                        format!("{} is no address with `https`", quote(address)),
                        [view.stated(instance, &["theme", "tokens", variant, key])],
                    );
                }
            }
        }
    }
}

fn mfes(view: &View<'_>, instance: &Instance, findings: &mut Findings<'_>) {
    let has_plugin = instance.plugins.iter().any(|name| name == "mfe");
    if !instance.mfes.is_empty() && !has_plugin {
        findings.add_with_hint(
            "there are no micro-frontends without the plugin `mfe`",
            [view.stated_key(instance, &["mfes"])],
            "`plugins: {mfe: {}}`".to_owned(),
        );
    }
    for (name, mfe) in &instance.mfes {
        if !Mfe::is_name(name) {
            findings.add(
                format!("no micro-frontend can be called {}", quote(name)),
                [view.stated_key(instance, &["mfes", name])],
            );
        }
        for (key, text) in [("repository", &mfe.repository), ("version", &mfe.version)] {
            if let Some(text) = text.as_ref().filter(|text| !Mfe::is_plain(text)) {
                findings.add(
                    format!("{} has signs that a build would read", quote(text)),
                    [view.stated(instance, &["mfes", name, key])],
                );
            }
        }
    }
}
