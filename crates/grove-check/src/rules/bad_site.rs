//! A site configuration that could not be set.

use std::collections::BTreeMap;

use grove_fleet::model::Instance;
use serde_json::Value;

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-site",
    severity: Severity::Error,
    summary: "a site configuration could not be set as it stands",
    documentation: "\
`site` is stated of a domain that the LMS does not answer, or that only leads elsewhere; `tenant`
is empty, too long, or stands without a `site`; two domains of one tenant give a value
differently; or a value is a reference to a secret.

Nobody would see the configuration, one domain's would take the place of the other's, or a secret
would stand in the database in plain text for all who may read a site's settings.

Site configuration is of the LMS's names. Secrets belong into settings, as `env.lms.settings:
{NAME: {secret: NAME}}`.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "domains: {shop.uni.example: {service: cms, site: {PLATFORM_NAME: Shop}}}\n"
        )),
    )]),
    hides_source: false,
    check,
};

/// The longest external key of a tenant.
const KEY: usize = 63;

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        for (host, domain) in &instance.domains {
            let key = view.stated_key(instance, &["domains", host]);
            if domain.site.is_some() && domain.service != "lms" {
                let message = format!(
                    "{} is no name of the LMS, which alone has sites",
                    quote(host)
                );
                findings.add(message, [key]);
            } else if domain.site.is_some() && domain.redirect {
                let message = format!(
                    "{} only leads elsewhere, so nobody sees its site",
                    quote(host)
                );
                findings.add(message, [key]);
            }
            let Some(tenant) = &domain.tenant else {
                continue;
            };
            let place = view.stated(instance, &["domains", host, "tenant"]);
            if tenant.is_empty() || tenant.chars().count() > KEY {
                let message = format!("no tenant can have the key {}", quote(tenant));
                findings.add(message, [place]);
            } else if domain.site.is_none() {
                let message = format!("the tenant of {} has no `site`", quote(host));
                findings.add(message, [place]);
            }
        }
        references(view, instance, findings);
        disagreements(view, instance, findings);
    }
}

/// Values that name secrets.
fn references(view: &View<'_>, instance: &Instance, findings: &mut Findings<'_>) {
    let own = instance.site.iter().map(|site| (vec!["site"], site));
    let domains = instance.domains.iter().filter_map(|(host, domain)| {
        Some((
            vec!["domains", host.as_str(), "site"],
            domain.site.as_ref()?,
        ))
    });
    for (route, site) in own.chain(domains) {
        let is_reference = |value: &&Value| {
            value
                .as_object()
                .is_some_and(|map| map.len() == 1 && map.contains_key("secret"))
        };
        for (name, _) in site.iter().filter(|(_, value)| is_reference(value)) {
            let mut route = route.clone();
            route.push(name);
            findings.add(
                "a site configuration holds no secrets".to_owned(),
                [view.stated(instance, &route)],
            );
        }
    }
}

/// Values that two domains of one tenant give differently.
fn disagreements(view: &View<'_>, instance: &Instance, findings: &mut Findings<'_>) {
    let mut known: BTreeMap<(&str, &str), (&str, &Value)> = BTreeMap::new();
    for (host, domain) in &instance.domains {
        let (Some(tenant), Some(site)) = (&domain.tenant, &domain.site) else {
            continue;
        };
        for (name, value) in site {
            let first = known.entry((tenant, name)).or_insert((host, value));
            if first.1 != value {
                let place = |host| view.stated(instance, &["domains", host, "site", name]);
                findings.add(
                    format!("the tenant {} gets two values", quote(tenant)),
                    [
                        place(host).label("another here"),
                        place(first.0).label("first here"),
                    ],
                );
            }
        }
    }
}
