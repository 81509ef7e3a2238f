//! A secret where everyone can read it.

use grove_fleet::{File, layout::Kind};
use grove_yaml::{Node, Value};
use rayon::prelude::*;

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    leak,
    mask::is_secrets_file,
    names,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "plain-secret",
    severity: Severity::Error,
    summary: "a file that is not encrypted holds a secret",
    documentation: "\
A plain file holds what looks like a secret: the value of a key that Tutor or a plugin declares as
one, a password or token by the name of its key, a private key, or a credential by its form.

Everyone who can read the repository, its clones, its caches and its CI can read it, also after it
is removed: Git keeps it.

Make a new value, put it into a `secrets.sops.yaml` with `grove secret set`, and remove it here.
A key of Tutor's is read from there by its name; elsewhere in `config`, write `{{ NAME }}`.
What only looks like a secret can be renamed: names that end in `_PASSWORD`, `_SECRET`, `_TOKEN` or
`_KEY` are looked at, and of the last two only values that look random. Client ids and public keys
(`_OAUTH2_KEY`, `_CLIENT_ID`, `_PUBLIC_KEY`, `_SITE_KEY`) are not. The text of a secret is never
shown.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "config: {SMTP_PASSWORD: correct-horse-battery}\n"
        )),
    )]),
    hides_source: true,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    by_declaration(view, findings);
    by_name(view, findings);
    by_form(view, findings);
}

/// Keys of `config` that the lock declares as secrets.
fn by_declaration(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        let Some(lock) = view
            .fleet
            .distributions
            .get(&instance.distribution)
            .and_then(|distribution| distribution.lock.as_ref())
        else {
            continue;
        };
        for (key, value) in &instance.config {
            let declared = lock.secrets.contains(key)
                || lock
                    .plugins
                    .values()
                    .any(|plugin| plugin.secrets.contains(key));
            let literal = value
                .as_str()
                .is_some_and(|text| !text.is_empty() && !text.contains("{{"));
            // What its name gives away is found in the file itself.
            if declared
                && literal
                && !value
                    .as_str()
                    .is_some_and(|text| leak::is_secret(key, text))
            {
                findings.add_with_hint(
                    format!("{} is a secret, and this file is not encrypted", quote(key)),
                    [view.stated(instance, &["config", key])],
                    format!(
                        "`grove secret set {} {key}`, and remove it here",
                        instance.address
                    ),
                );
            }
        }
    }
}

/// Values of plain YAML files whose key names a secret.
fn by_name(view: &View<'_>, findings: &mut Findings<'_>) {
    for (path, root) in view.roots() {
        if !is_secrets_file(path) {
            named(root, &mut |key, node| {
                findings.add_with_hint(
                    format!(
                        "{} looks like a secret, and this file is not encrypted",
                        quote(key)
                    ),
                    [Place::bytes(path, node.span)],
                    "put it into a `secrets.sops.yaml` with `grove secret set`, and remove it here",
                );
            });
        }
    }
}

/// Calls `found` for each text below `node` that is a secret by the name of its key.
fn named(node: &Node, found: &mut impl FnMut(&str, &Node)) {
    match &node.value {
        Value::List(nodes) => nodes.iter().for_each(|node| named(node, found)),
        Value::Map(entries) => {
            for entry in entries {
                match entry.value.as_str() {
                    Some(text) if names_one(&entry.key, text) => {}
                    // By its form too: one finding is enough.
                    Some(text) if leak::is_secret(&entry.key, text) => {
                        if leak::credentials(text).is_empty() {
                            found(&entry.key, &entry.value);
                        }
                    }
                    Some(_) => {}
                    // Variable → name of a secret.
                    None if entry.key == "credentials" => {
                        let values = entry.value.entries().iter();
                        values
                            .filter(|value| {
                                let text = value.value.as_str();
                                text.is_some_and(|text| !names::is_secret_name(text))
                            })
                            .for_each(|value| found(&value.key, &value.value));
                    }
                    None => named(&entry.value, found),
                }
            }
        }
        _ => {}
    }
}

/// Whether a value is `{secret: NAME}`, or the name of the registry's: that there is one of this name is another rule's.
fn names_one(key: &str, text: &str) -> bool {
    matches!(key, "secret" | "pull_secret") && names::is_secret_name(text)
}

/// Credentials in any plain text of the fleet. A lock is made by `grove lock`, of public packages;
/// a published key is one that `published-key` watches.
fn by_form(view: &View<'_>, findings: &mut Findings<'_>) {
    let is_asked = |path: &String| {
        let published = view.fleet.published_key.as_ref() == Some(path);
        !published && !is_secrets_file(path) && !matches!(Kind::of(path), Kind::Lock(_))
    };
    let found: Vec<_> = view
        .snapshot
        .files
        .par_iter()
        .filter(|(path, _)| is_asked(path))
        .flat_map_iter(|(path, file)| {
            let text = match file {
                File::Bytes(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
                _ => "",
            };
            let credentials = leak::credentials(text).into_iter();
            credentials.map(move |(span, what)| (path, span, what))
        })
        .collect();
    for (path, span, what) in found {
        findings.add_with_hint(
            format!("this looks like {what}, and this file is not encrypted"),
            [Place::bytes(path.as_str(), span)],
            "make a new one, and put it into a `secrets.sops.yaml` with `grove secret set`",
        );
    }
}
