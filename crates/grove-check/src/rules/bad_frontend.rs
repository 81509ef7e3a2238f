//! Micro-frontends and themes that could not be served.

use grove_fleet::model::{Instance, Mfe};
use serde_json::Value;

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-frontend",
    severity: Severity::Error,
    summary: "`mfes` or `theme` says what could not be served",
    documentation: "\
`mfes` is stated without the plugin `mfe`, or `theme.indigo` without `indigo`; a micro-frontend has
a name that is no part of an address, or a repository or version with signs that a Dockerfile or a
shell would read; a style sheet of `theme.tokens` has no `https` address; or Indigo's colour is
none, or a link of its footer leads nowhere or holds what Tutor would read as a template.

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
        indigo(view, instance, findings);
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

fn indigo(view: &View<'_>, instance: &Instance, findings: &mut Findings<'_>) {
    let settings = &instance.theme.indigo;
    if !settings.is_empty() && !instance.plugins.iter().any(|name| name == "indigo") {
        findings.add_with_hint(
            "there is no theme Indigo without its plugin",
            [view.stated_key(instance, &["theme", "indigo"])],
            "`plugins: {indigo: {}}`",
        );
    }
    let mut fault = |key: &str, text: &str, what: &str| {
        findings.add(
            format!("{} {what}", quote(text)),
            [view.stated(instance, &["theme", "indigo", key])],
        );
    };
    let is_template = |text: &str| ["{{", "{%", "{#"].iter().any(|begin| text.contains(begin));
    for (key, value) in settings {
        let links = value.as_array().into_iter().flatten();
        let links = links.filter_map(Value::as_object).flatten();
        let texts = links.map(|(name, value)| (name.as_str(), value));
        for (name, text) in std::iter::once(("", value))
            .chain(texts)
            .filter_map(|(name, value)| Some((name, value.as_str()?)))
        {
            // What else is text is written as such.
            if key == "footer" && is_template(text) {
                fault(key, text, "would be read as a template");
            }
            if name == "url" && !(text.starts_with('/') || text.starts_with("https://")) {
                fault(key, text, "is neither a path nor an address with `https`");
            }
        }
        if let Some(colour) = value.as_str().filter(|_| key == "primary_color") {
            let digits = colour.strip_prefix('#').unwrap_or_default();
            let is_colour =
                matches!(digits.len(), 3 | 6) && digits.chars().all(|c| c.is_ascii_hexdigit());
            if !is_colour {
                fault(key, colour, "is no colour as `#15376D`");
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
