//! Data that two instances would write.

use std::collections::BTreeMap;

use grove_fleet::{
    model::{Engine, Manage, Search},
    rotation::alternate,
};

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "two-owners",
    severity: Severity::Error,
    summary: "two instances have one database, user, bucket or index",
    documentation: "\
Two instances of the fleet, on whatever clusters, name the same database, the same number of a
Redis, the same user or the same bucket on the same server, or prefixes of indexes of which one is
the other or begins with it.

Each would overwrite the other's courses, learners or files, a rotation of one would lock the other
out, and removing one would remove both.

Names that are not stated come from the identity and never meet. Where one instance replaces
another, take `data` out of the old one first.",
    example: Example::files(&[
        (
            "clusters/prod/instances/uni/instance.yaml",
            Content::Text(concat!(
                include_str!("../base/instance.yaml"),
                "data: {redis: {mode: external, host: cache.example, databases: {celery: 3, cache: 4}}}\n"
            )),
        ),
        (
            "clusters/prod/instances/academy/instance.yaml",
            Content::Text(concat!(
                include_str!("../base/instance-academy.yaml"),
                "data: {redis: {mode: external, host: cache.example, databases: {celery: 4, cache: 5}}}\n"
            )),
        ),
        (
            "clusters/prod/instances/academy/secrets.sops.yaml",
            Content::Text(include_str!("../base/secrets.sops.yaml")),
        ),
    ]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let mut owners: BTreeMap<(&str, String, &'static str, String), Vec<_>> = BTreeMap::new();
    for instance in view.fleet.instances.values() {
        for (engine, outside) in &instance.data.outside {
            if *engine == Engine::Meilisearch {
                continue;
            }
            // What waits for a stack has no address yet.
            if outside.host.is_empty() && *engine != Engine::S3 {
                continue;
            }
            let server = match engine {
                Engine::S3 => outside.host.to_ascii_lowercase(),
                _ => format!("{}:{}", outside.host.to_ascii_lowercase(), outside.port),
            };
            let what = match engine {
                Engine::Redis => "number",
                Engine::S3 => "bucket",
                _ => "database",
            };
            let names = outside.databases.values().map(|name| (what, name.clone()));
            // Who rotates a user that others have locks them out; one of somebody else's may serve many.
            let is_ours = outside.manage != Manage::External;
            let users = outside.users.values().filter(|_| is_ours);
            // A rotation makes the second name, and removing an instance removes both.
            let users = users.flat_map(|name| [name.clone(), alternate(name)]);
            let users = users.map(|name| ("user", name));
            for (what, name) in names.chain(users) {
                let key = (engine.key(), server.clone(), what, name);
                owners.entry(key).or_default().push(instance);
            }
        }
        if let Some(search) = &instance.data.search {
            let key = (
                "search",
                url(search),
                "prefix of indexes",
                search.prefix.clone(),
            );
            owners.entry(key).or_default().push(instance);
        }
    }
    for ((service, server, what, name), instances) in owners {
        let (Some(first), Some(second)) = (instances.first(), instances.get(1)) else {
            continue;
        };
        let on = if server.is_empty() { "AWS" } else { &server };
        let message = if first.address == second.address {
            format!(
                "{} names the {what} {} on {on} twice",
                first.address,
                quote(&name)
            )
        } else {
            format!(
                "the {what} {} on {on} would belong to {} and {}",
                quote(&name),
                first.address,
                second.address
            )
        };
        let places = [first, second].map(|one| view.stated_key(one, &["data", service]));
        findings.add(message, places);
    }
    prefixes(view, findings);
}

/// Prefixes of indexes of which one begins with another: a key for the shorter opens both.
fn prefixes(view: &View<'_>, findings: &mut Findings<'_>) {
    let mut all: Vec<(String, &str, _)> = Vec::new();
    for instance in view.fleet.instances.values() {
        if let Some(search) = &instance.data.search {
            all.push((url(search), search.prefix.as_str(), instance));
        }
    }
    // What begins with a text follows it in this order.
    all.sort_by_key(|(url, prefix, _)| (url.clone(), *prefix));
    for two in all.windows(2) {
        let [(url, short, first), (other, long, second)] = two else {
            continue;
        };
        if url != other || short == long || !long.starts_with(short) {
            continue;
        }
        findings.add(
            format!(
                "indexes on {url} that begin with {} of {} belong to {} as well, whose begin with {}",
                quote(long),
                second.address,
                first.address,
                quote(short)
            ),
            [first, second].map(|one| view.stated_key(one, &["data", "search"])),
        );
    }
}

fn url(search: &Search) -> String {
    search.url.trim_end_matches('/').to_ascii_lowercase()
}
