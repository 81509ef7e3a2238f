//! Certificates for what the Ingresses serve.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{draft::Draft, ingress, pass::Pass};
use crate::{Error, object::Object};

pub(super) const PASS: Pass = Pass {
    name: "certificates",
    summary: "cert-manager makes one certificate for all hosts and one for each of `domains`: a \
              domain belongs to somebody else, and a name of it that stops resolving must not keep \
              the instance's own certificate from being renewed. One that the operator brings is a \
              Secret.",
    changes: &["Certificate", "Secret"],
    apply,
};

/// What a public authority puts in one certificate.
const LIMIT: usize = 100;

/// The name of the Certificate of all of `hosts`.
const HOSTS: &str = "hosts";

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let mut hosts = BTreeSet::new();
    let mut domains = BTreeSet::new();
    // What has an Ingress of ours needs a certificate of ours; plugins care for their own.
    for object in draft
        .objects
        .iter()
        .filter(|object| object.kind() == "Ingress")
    {
        let secret = object
            .value()
            .pointer("/spec/tls/0/secretName")
            .and_then(Value::as_str);
        let host = object.name();
        match secret {
            Some(ingress::HOSTS_SECRET) => hosts.insert(host.to_owned()),
            Some(secret) if secret == ingress::domain_secret(host) => {
                domains.insert(host.to_owned())
            }
            _ => false,
        };
    }
    if hosts.len() > LIMIT {
        return Err(Error::new(
            format!(
                "{count} names are served, and a certificate holds at most {LIMIT}",
                count = hosts.len()
            ),
            "give some of the names to `domains`: each has a certificate",
        ));
    }
    if !hosts.is_empty() {
        let names: Vec<&str> = hosts.iter().map(String::as_str).collect();
        add(draft, HOSTS, ingress::HOSTS_SECRET, &names)?;
    }
    for domain in &domains {
        add(draft, domain, &ingress::domain_secret(domain), &[domain])?;
    }
    for (domain, what) in &draft.instance.domains {
        let Some(own) = &what.certificate else {
            continue;
        };
        if !draft.instance.secrets.contains_key(&own.key) {
            return Err(Error::new(
                format!(
                    "the certificate of {domain} has its key in {secret}, which the instance does not have",
                    secret = own.key
                ),
                "`grove secret set CLUSTER NAME` gives it to all of a cluster",
            ));
        }
        let body = json!({
            "type": "kubernetes.io/tls",
            "stringData": {"tls.crt": own.chain, "tls.key": format!("@@{}@@", own.key)},
        });
        draft.add("v1", "Secret", &ingress::own_secret(domain), body)?;
    }
    Ok(())
}

fn add(draft: &mut Draft<'_>, name: &str, secret: &str, names: &[&str]) -> Result<(), Error> {
    let body = json!({"spec": {
        "dnsNames": names,
        "issuerRef": {
            "group": "cert-manager.io",
            "kind": "ClusterIssuer",
            "name": draft.cluster.cluster_issuer,
        },
        "secretName": secret,
    }});
    draft.add("cert-manager.io/v1", "Certificate", name, body)
}

/// Whether `object` is a Certificate as this pass makes them, from the cluster's own issuer.
pub(super) fn is_ours(draft: &Draft<'_>, object: &Object) -> bool {
    let text = |pointer: &str| object.value().pointer(pointer).and_then(Value::as_str);
    let name = object.name();
    let secret = if name == HOSTS {
        ingress::HOSTS_SECRET.to_owned()
    } else if draft.instance.domains.contains_key(name) {
        ingress::domain_secret(name)
    } else {
        return false;
    };
    object.kind() == "Certificate"
        && text("/spec/secretName") == Some(secret.as_str())
        && text("/spec/issuerRef/name") == Some(draft.cluster.cluster_issuer.as_str())
}

#[cfg(test)]
mod tests {
    use grove_fleet::model::Domain;

    use super::{
        super::{domains, ingress},
        PASS,
    };
    use crate::testing::{self, CADDYFILE, caddy_service, config_map};

    fn run(world: &testing::World, caddyfile: &str) -> Result<String, crate::Error> {
        let objects = vec![
            config_map("caddy-config", "Caddyfile", caddyfile),
            caddy_service(),
        ];
        let mut draft = world.draft(&[], objects)?;
        (domains::PASS.apply)(&mut draft)?;
        (ingress::PASS.apply)(&mut draft)?;
        (PASS.apply)(&mut draft)?;
        draft.objects.take(|object| object.kind() != "Certificate");
        Ok(testing::json(&draft.objects))
    }

    #[test]
    fn hosts_share_one_and_domains_have_their_own() {
        let mut world = testing::World::default();
        world.instance.domains.insert(
            "shop.example".into(),
            Domain {
                service: "lms".into(),
                redirect: false,
                ..Domain::default()
            },
        );
        insta::assert_snapshot!(run(&world, CADDYFILE).unwrap(), @r#"
        {
          "apiVersion": "cert-manager.io/v1",
          "kind": "Certificate",
          "metadata": {
            "name": "hosts",
            "namespace": "uni"
          },
          "spec": {
            "dnsNames": [
              "apps.uni.example",
              "learn.uni.example",
              "meilisearch.learn.uni.example",
              "studio.uni.example"
            ],
            "issuerRef": {
              "group": "cert-manager.io",
              "kind": "ClusterIssuer",
              "name": "harmony-letsencrypt-global"
            },
            "secretName": "hosts-tls"
          }
        }
        {
          "apiVersion": "cert-manager.io/v1",
          "kind": "Certificate",
          "metadata": {
            "name": "shop.example",
            "namespace": "uni"
          },
          "spec": {
            "dnsNames": [
              "shop.example"
            ],
            "issuerRef": {
              "group": "cert-manager.io",
              "kind": "ClusterIssuer",
              "name": "harmony-letsencrypt-global"
            },
            "secretName": "shop.example-tls"
          }
        }
        "#);
    }

    #[test]
    fn more_names_than_a_certificate_holds_are_refused() {
        let more: Vec<String> = (0..100)
            .map(|number| format!("x{number}.learn.uni.example{{$default_site_port}} {{\n}}\n"))
            .collect();
        let error = run(
            &testing::World::default(),
            &format!("{CADDYFILE}{}", more.concat()),
        )
        .unwrap_err();
        insta::assert_snapshot!(error, @"104 names are served, and a certificate holds at most 100");
    }
}
