//! Site configuration.

use std::collections::BTreeMap;

use grove_fleet::model::Instance;
use serde_json::{Map, Value, json};

use super::{draft::Draft, flags::escaped, pass::Pass};
use crate::{Error, Task};

pub(super) const PASS: Pass = Pass {
    name: "sites",
    summary: "Where the fleet has `site` or `theme.name`, one more init task of the LMS writes them into the \
              database, for the name that they are stated of: values as Open edX's site configuration, or as a \
              tenant of eox-tenant. A value or a theme that leaves the fleet is taken out where Grove set it.",
    changes: &[],
    apply,
};

/// What the task runs: Python without a single quote, which ends a word of the shell that tasks have.
const PROGRAM: &str = include_str!("sites.py");

/// The most bytes of the values: the kernel takes a word of 128 KiB, and the program is in it, too.
const LIMIT: usize = 100_000;

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let Some(wanted) = wanted(draft.instance) else {
        return Ok(());
    };
    let text = escaped(&wanted.to_string());
    if text.len() > LIMIT {
        return Err(Error::new(
            format!(
                "`site` has {bytes} bytes in all, and a task takes at most {LIMIT}",
                bytes = text.len()
            ),
            "large texts belong into a theme or a file of the image",
        ));
    }
    draft.tasks.push(Task {
        service: "lms".to_owned(),
        app: Some("sites".to_owned()),
        text: format!("GROVE_SITES='{text}' ./manage.py lms shell -c '{PROGRAM}'\n"),
    });
    Ok(())
}

/// What the program reads; none where the fleet says nothing of sites.
fn wanted(instance: &Instance) -> Option<Value> {
    let lms = instance.hosts.get("lms").zip(instance.site.as_ref());
    let own = lms.map(|(host, site)| (host, None, site));
    let domains = instance.domains.iter();
    let domains = domains
        .filter_map(|(host, domain)| Some((host, domain.tenant.as_ref(), domain.site.as_ref()?)));
    let mut sites: Map<String, Value> = Map::new();
    let mut tenants: BTreeMap<&str, (Vec<&str>, Map<String, Value>)> = BTreeMap::new();
    for (host, tenant, values) in own.into_iter().chain(domains) {
        match tenant {
            None => {
                sites.insert(host.clone(), values.clone().into());
            }
            Some(tenant) => {
                let (hosts, known) = tenants.entry(tenant).or_default();
                hosts.push(host);
                known.extend(values.clone());
            }
        }
    }
    let theme = theme(instance);
    if sites.is_empty() && tenants.is_empty() && theme.is_none() {
        return None;
    }
    let tenants: Map<String, Value> = tenants
        .into_iter()
        .map(|(key, (domains, values))| {
            (
                key.to_owned(),
                json!({"domains": domains, "values": values}),
            )
        })
        .collect();
    Some(json!({"sites": sites, "tenants": tenants, "theme": theme}))
}

/// The theme, and the names that have it: those of the LMS and the CMS.
fn theme(instance: &Instance) -> Option<Value> {
    let name = instance.theme.name.as_ref()?;
    let has_themes = |service: &str| matches!(service, "lms" | "cms");
    let hosts = instance.hosts.iter();
    let hosts = hosts.filter_map(|(service, host)| has_themes(service).then_some(host));
    let domains = instance.domains.iter();
    let domains = domains.filter_map(|(host, domain)| {
        (has_themes(&domain.service) && !domain.redirect).then_some(host)
    });
    let domains: Vec<&String> = hosts.chain(domains).collect();
    Some(json!({"name": name, "domains": domains}))
}

#[cfg(test)]
mod tests {
    use grove_fleet::model::Domain;
    use serde_json::json;

    use super::{PASS, PROGRAM};
    use crate::testing;

    #[test]
    fn sites_are_one_more_task_and_no_value_is_code() {
        assert!(!PROGRAM.contains(['\'', '$', '@']));
        let mut world = testing::World::default();
        let task = |world: &testing::World| {
            let mut draft = world.draft(&[], vec![]).unwrap();
            (PASS.apply)(&mut draft).map(|()| draft.tasks.last().map(|task| task.text.clone()))
        };
        assert_eq!(task(&world).unwrap(), None);
        let domain = |tenant: Option<&str>, value: &str| Domain {
            service: "lms".to_owned(),
            tenant: tenant.map(str::to_owned),
            site: json!({"NAME": value}).as_object().cloned(),
            ..Domain::default()
        };
        world.instance.domains = [
            ("a.example".to_owned(), domain(None, "it's $(x) @@Y@@")),
            ("b.example".to_owned(), domain(Some("acme"), "B")),
        ]
        .into();
        let text = task(&world).unwrap().unwrap();
        insta::assert_snapshot!(text.lines().next().unwrap(), @r#"GROVE_SITES='{"sites":{"a.example":{"NAME":"it\u0027s \u0024(x) \u0040\u0040Y\u0040\u0040"}},"tenants":{"acme":{"domains":["b.example"],"values":{"NAME":"B"}}},"theme":null}' ./manage.py lms shell -c 'import json"#);
        let large = domain(None, &"x".repeat(100_001));
        world.instance.domains.insert("c.example".to_owned(), large);
        insta::assert_snapshot!(task(&world).unwrap_err(), @"`site` has 100185 bytes in all, and a task takes at most 100000");
    }
}
