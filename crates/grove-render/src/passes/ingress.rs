//! An Ingress for each served host.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{draft::Draft, pass::Pass};
use crate::{
    Error, caddy,
    object::{Object, Objects},
};

pub(super) const PASS: Pass = Pass {
    name: "ingress",
    summary: "Each host that Caddy serves has an Ingress of the cluster's class, with TLS; Tutor \
              leaves the way into the cluster to its user. A host that a plugin's own Ingress takes \
              is left to it.",
    changes: &["Ingress"],
    apply,
};

/// Caddy's Service, and the port of it that takes requests.
const SERVICE: &str = "caddy";
const PORT: &str = "http";

/// The Secret with the certificate of all of `hosts`.
pub(super) const HOSTS_SECRET: &str = "hosts-tls";

/// The Secret with the certificate of one of `domains`.
pub(super) fn domain_secret(domain: &str) -> String {
    format!("{domain}-tls")
}

/// The Secret with the certificate that the operator brings for one of `domains`. It has a name of its own:
/// the one that cert-manager made stays in the cluster, and nobody may take it over.
pub(super) fn own_secret(domain: &str) -> String {
    format!("{domain}-own-tls")
}

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let port = port(&draft.objects)?;
    let hosts = check(draft)?;
    for host in hosts {
        let secret = match draft.instance.domains.get(&host) {
            None => HOSTS_SECRET.to_owned(),
            Some(domain) if domain.certificate.is_some() => own_secret(&host),
            Some(_) => domain_secret(&host),
        };
        let body = json!({"spec": {
            "ingressClassName": draft.cluster.ingress_class,
            "rules": [{"host": host, "http": {"paths": [{
                "path": "/",
                "pathType": "Prefix",
                "backend": {"service": {"name": SERVICE, "port": {"number": port}}},
            }]}}],
            "tls": [{"hosts": [host], "secretName": secret}],
        }});
        draft.add("networking.k8s.io/v1", "Ingress", &host, body)?;
    }
    Ok(())
}

/// The hosts that Caddy serves and no other Ingress takes, once each of `hosts` is served.
/// Whether they are the instance's is for [`super::hosts`] to say.
fn check(draft: &Draft<'_>) -> Result<BTreeSet<String>, Error> {
    let instance = draft.instance;
    let served: BTreeSet<String> = caddy::sites(caddy::text(&draft.objects)?)?
        .into_iter()
        .flat_map(|site| site.hosts)
        .collect();
    let taken = taken(&draft.objects);
    for (service, host) in &instance.hosts {
        if !served.contains(host) && !taken.contains(host.as_str()) {
            return Err(caddy::not_served(service, host));
        }
    }
    Ok(served
        .into_iter()
        .filter(|host| !taken.contains(host.as_str()))
        .collect())
}

/// Hosts that Ingresses of plugins take.
fn taken(objects: &Objects) -> BTreeSet<&str> {
    objects
        .iter()
        .filter(|object| object.kind() == "Ingress")
        .filter_map(|ingress| ingress.value().pointer("/spec/rules")?.as_array())
        .flatten()
        .filter_map(|rule| rule.get("host")?.as_str())
        .collect()
}

fn port(objects: &Objects) -> Result<u64, Error> {
    let ports = |service: &Object| service.value().pointer("/spec/ports")?.as_array().cloned();
    objects
        .get("", "Service", SERVICE)
        .and_then(ports)
        .and_then(|ports| {
            let named = |port: &&Value| port.get("name").and_then(Value::as_str) == Some(PORT);
            ports.iter().find(named)?.get("port")?.as_u64()
        })
        .ok_or_else(|| caddy::no_router(&format!("Service/{SERVICE} with a port {PORT:?}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::PASS;
    use crate::testing::{self, CADDYFILE, caddy_service, config_map};

    fn run(world: &testing::World, more: Vec<serde_json::Value>) -> Result<String, crate::Error> {
        let mut objects = vec![
            config_map("caddy-config", "Caddyfile", CADDYFILE),
            caddy_service(),
        ];
        objects.extend(more);
        testing::run(&PASS, &mut world.draft(&[], objects)?)
    }

    #[test]
    fn each_served_host_has_an_ingress() {
        let world = testing::World::default();
        let mut draft = world
            .draft(
                &[],
                vec![
                    config_map("caddy-config", "Caddyfile", CADDYFILE),
                    caddy_service(),
                ],
            )
            .unwrap();
        insta::assert_snapshot!(testing::run(&PASS, &mut draft).unwrap(), @"
        + Ingress/apps.uni.example
        + Ingress/learn.uni.example
        + Ingress/meilisearch.learn.uni.example
        + Ingress/studio.uni.example
        ");
        let ingress = draft
            .objects
            .get("networking.k8s.io", "Ingress", "learn.uni.example")
            .unwrap();
        insta::assert_snapshot!(serde_json::to_string_pretty(ingress.value()).unwrap(), @r#"
        {
          "apiVersion": "networking.k8s.io/v1",
          "kind": "Ingress",
          "metadata": {
            "name": "learn.uni.example",
            "namespace": "uni"
          },
          "spec": {
            "ingressClassName": "traefik",
            "rules": [
              {
                "host": "learn.uni.example",
                "http": {
                  "paths": [
                    {
                      "backend": {
                        "service": {
                          "name": "caddy",
                          "port": {
                            "number": 80
                          }
                        }
                      },
                      "path": "/",
                      "pathType": "Prefix"
                    }
                  ]
                }
              }
            ],
            "tls": [
              {
                "hosts": [
                  "learn.uni.example"
                ],
                "secretName": "hosts-tls"
              }
            ]
          }
        }
        "#);
    }

    #[test]
    fn a_host_of_a_plugins_ingress_is_left_to_it() {
        let own = json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "lms"},
            "spec": {"rules": [{"host": "learn.uni.example"}]},
        });
        insta::assert_snapshot!(run(&testing::World::default(), vec![own]).unwrap(), @"
        + Ingress/apps.uni.example
        + Ingress/meilisearch.learn.uni.example
        + Ingress/studio.uni.example
        ");
    }

    #[test]
    fn hosts_that_nothing_serves_are_refused() {
        let mut world = testing::World::default();
        world
            .instance
            .hosts
            .insert("notes".into(), "notes.example".into());
        insta::assert_snapshot!(run(&world, vec![]).unwrap_err(), @"nothing in the environment serves notes.example, which `hosts` gives to notes");
    }

    #[test]
    fn without_caddy_nothing_is_served() {
        insta::assert_snapshot!(testing::pass(&PASS, &[], vec![]).unwrap_err(), @r#"Service/caddy with a port "http" is not in the environment, and Caddy is what every host is served by"#);
        insta::assert_snapshot!(testing::pass(&PASS, &[], vec![caddy_service()]).unwrap_err(), @"ConfigMap/caddy-config with a Caddyfile is not in the environment, and Caddy is what every host is served by");
    }
}
