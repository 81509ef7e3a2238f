//! Further names of a service.

use std::fmt::Write as _;

use super::{draft::Draft, pass::Pass};
use crate::{Error, caddy, names};

pub(super) const PASS: Pass = Pass {
    name: "domains",
    summary: "Each of `domains` is added to the addresses of its service's site in Caddy's \
              configuration, which is where Tutor knows one host a service. One that is a `redirect` has a \
              site of its own, which leads there.",
    changes: &["ConfigMap /data/Caddyfile"],
    apply,
};

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    if draft.instance.domains.is_empty() {
        return Ok(());
    }
    for (domain, what) in &draft.instance.domains {
        // It becomes part of Caddy's configuration, so it must not be able to say anything else.
        if !names::is_subdomain(domain) {
            return Err(names::bad_host(domain));
        }
        if !draft.instance.hosts.contains_key(&what.service) {
            return Err(Error::new(
                format!(
                    "the domain {domain} is for {service}, which has no host",
                    service = what.service
                ),
                "name a key of `hosts`",
            ));
        }
    }
    let mut text = caddy::text(&draft.objects)?.to_owned();
    // From the end of the file to its start, so that places found before stay right.
    for site in caddy::sites(&text)?.iter().rev() {
        let further: Vec<String> = draft
            .instance
            .domains
            .iter()
            .filter(|(domain, what)| !what.redirect && !site.hosts.contains(domain))
            .filter(|(_, what)| {
                let host = draft.instance.hosts.get(&what.service);
                host.is_some_and(|host| site.hosts.contains(host))
            })
            .map(|(domain, _)| format!(", {domain}{}", caddy::PORT))
            .collect();
        text.insert_str(site.end, &further.concat());
    }
    for (domain, what) in &draft.instance.domains {
        if let Some(host) = draft
            .instance
            .hosts
            .get(&what.service)
            .filter(|_| what.redirect)
        {
            let _written = write!(
                text,
                "\n{domain}{} {{\n    redir https://{host}{{uri}} permanent\n}}\n",
                caddy::PORT
            );
        }
    }
    // Read again, so that a domain which is a host already is found.
    let sites = caddy::sites(&text)?;
    for (domain, what) in &draft.instance.domains {
        if !sites.iter().any(|site| site.hosts.contains(domain)) {
            return Err(caddy::not_served(&what.service, domain));
        }
    }
    caddy::set_text(&mut draft.objects, text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use grove_fleet::model::Domain;

    use super::PASS;
    use crate::testing::{self, CADDYFILE, config_map};

    fn with(domains: &[(&str, &str)]) -> Result<String, crate::Error> {
        let mut world = testing::World::default();
        for (domain, service) in domains {
            let service = (*service).to_owned();
            world.instance.domains.insert(
                (*domain).to_owned(),
                Domain {
                    service,
                    redirect: false,
                    ..Domain::default()
                },
            );
        }
        let mut draft = world.draft(
            &[],
            vec![config_map("caddy-config", "Caddyfile", CADDYFILE)],
        )?;
        (PASS.apply)(&mut draft)?;
        Ok(crate::caddy::text(&draft.objects)?.to_owned())
    }

    #[test]
    fn a_domain_joins_the_site_of_its_service() {
        insta::assert_snapshot!(
            with(&[("shop.example", "lms"), ("also.example", "lms"), ("m.example", "mfe")]).unwrap(), @r#"
        {
            servers {
                trusted_proxies static 0.0.0.0/0
            }
        }
        (proxy) {
            reverse_proxy {args.0}
        }
        learn.uni.example{$default_site_port}, also.example{$default_site_port}, shop.example{$default_site_port} {
            import proxy "lms:8000"
        }
        studio.uni.example{$default_site_port} {
            import proxy "cms:8000"
        }
        meilisearch.learn.uni.example{$default_site_port} {
            import proxy "meilisearch:7700"
        }
        apps.uni.example{$default_site_port}, m.example{$default_site_port} {
            import proxy "mfe:8002"
        }
        "#);
    }

    #[test]
    fn a_domain_without_a_site_is_refused() {
        insta::assert_snapshot!(with(&[("shop.example", "notes")]).unwrap_err(), @"the domain shop.example is for notes, which has no host");
    }

    #[test]
    fn a_domain_that_is_a_host_already_is_refused() {
        insta::assert_snapshot!(with(&[("studio.uni.example", "lms")]).unwrap_err(), @"line 12 of Caddy's configuration: studio.uni.example is served twice");
    }

    #[test]
    fn a_domain_that_is_no_host_name_is_refused() {
        insta::assert_snapshot!(with(&[("x {\n}\ny", "lms")]).unwrap_err(), @r#""x {\n}\ny" is not a host name in lower case"#);
    }
}
