//! A secret that Tutor or a plugin needs and nobody brings.

use grove_fleet::{layout, model::Instance};

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    rule::{Content, Example, Rule},
    view::{View, secret_entries},
};

pub(crate) const RULE: Rule = Rule {
    id: "secret-missing",
    severity: Severity::Error,
    summary: "a secret that Tutor or a plugin declares is in no secrets file",
    documentation: "\
Tutor or an enabled plugin declares a secret (a value that Tutor would generate at random), and
neither the instance's `secrets.sops.yaml` nor that of its groups or cluster has it.

Grove never makes a secret while it renders: a value that differs at each run would restart every
pod and lock the site out of its own database.

Run `grove secret generate <cluster>/<instance>`: it makes each missing one once and leaves the
others alone. For an adopted site, bring its values instead with `grove secret set`. Secrets that
follow from others (such as Tutor's `MEILISEARCH_API_KEY`) need not be in a file.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/secrets.sops.yaml",
        Content::Text(include_str!("../base/secrets-one-missing.sops.yaml")),
    )]),
    hides_source: false,
    check,
};

/// Declared by Tutor as secrets, but never looked up in a secrets file: `ID` is part of the
/// identity, and sealing derives the other from the master key and its identifier.
const NOT_IN_FILES: [&str; 2] = ["ID", "MEILISEARCH_API_KEY"];

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
        let of_plugins = instance.plugins.iter().filter_map(|name| {
            let plugin = lock.plugins.get(name)?;
            Some(
                plugin
                    .secrets
                    .iter()
                    .map(move |secret| (secret, Some(name))),
            )
        });
        let missing: Vec<(&String, Option<&String>)> = lock
            .secrets
            .iter()
            .map(|secret| (secret, None))
            .chain(of_plugins.flatten())
            .filter(|(secret, _)| {
                !instance.secrets.contains_key(*secret)
                    && !is_in_a_file(view, instance, secret)
                    && !instance.config.contains_key(*secret)
                    && !instance.data.is_of_a_server(secret)
                    && !NOT_IN_FILES.contains(&secret.as_str())
            })
            .collect();
        if missing.is_empty() {
            continue;
        }
        let names: Vec<String> = missing
            .iter()
            .map(|(secret, plugin)| match plugin {
                Some(plugin) => format!("{} (plugin {})", quote(secret), quote(plugin)),
                None => quote(secret),
            })
            .collect();
        let file = layout::instance_secrets(&instance.address);
        let place = if view.snapshot.files.contains_key(&file) {
            file
        } else {
            layout::instance(&instance.address)
        };
        findings.add_with_hint(
            format!(
                "{} lacks {}",
                quote(&instance.address.to_string()),
                names.join(", ")
            ),
            [Place::file(place)],
            format!(
                "`grove secret generate {}` makes what is missing",
                instance.address
            ),
        );
    }
}

/// Whether a secrets file has the name, encrypted or not, or may have it where it cannot be read:
/// each of these is a finding of its own.
fn is_in_a_file(view: &View<'_>, instance: &Instance, secret: &str) -> bool {
    let address = &instance.address;
    let of_groups = instance
        .groups
        .iter()
        .map(|group| layout::group_secrets(group));
    of_groups
        .chain([
            layout::instance_secrets(address),
            layout::cluster_secrets(&address.cluster),
        ])
        .filter_map(|path| view.all.get(&path))
        .any(|document| {
            !document.problems.is_empty()
                || secret_entries(document).any(|entry| entry.key == secret)
        })
}
