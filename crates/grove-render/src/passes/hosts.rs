//! Each host belongs to one instance.

use serde_json::{Map, Value};

use super::{draft::Draft, pass::Pass};
use crate::{
    Error, caddy, names,
    object::{self, Object},
};

pub(super) const PASS: Pass = Pass {
    name: "hosts",
    summary: "Each host in an Ingress, a Certificate or a site of Caddy's is one that the instance \
              states, or is below one of its `hosts` with no other instance of the cluster in \
              between. An ingress controller serves all instances of a cluster, and would send one's \
              visitors to another.",
    changes: &[],
    apply,
};

/// Annotations, by what follows the prefix, that make a controller answer for hosts which the
/// object does not name, or ask for their certificates.
const WIDENING: &[&str] = &[
    "alt-names",
    "common-name",
    "router.pathmatcher",
    "server-alias",
];

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    // First, since our own objects take their hosts from there.
    let router = format!("ConfigMap/{}", caddy::CONFIG);
    for host in caddy::sites(caddy::text(&draft.objects)?)?
        .iter()
        .flat_map(|site| &site.hosts)
    {
        own(draft, &router, host)?;
    }
    for object in draft.objects.iter() {
        match object.kind() {
            "Ingress" => ingress(draft, object)?,
            "Certificate" => certificate(draft, object)?,
            _ => {}
        }
    }
    Ok(())
}

fn ingress(draft: &Draft<'_>, object: &Object) -> Result<(), Error> {
    let id = object.id().to_string();
    let refuse = |field: String| Err(object::refused_field(&id, &field));
    let annotations = object.value().pointer("/metadata/annotations");
    for key in annotations
        .and_then(Value::as_object)
        .iter()
        .flat_map(|map| map.keys())
    {
        let name = key.rsplit('/').next().unwrap_or_default();
        if WIDENING.contains(&name) || name.ends_with("-snippet") {
            return refuse(format!("the annotation {key}"));
        }
    }
    if object
        .value()
        .pointer("/spec/defaultBackend")
        .is_some_and(|value| !value.is_null())
    {
        return refuse("spec.defaultBackend".to_owned());
    }
    for rule in list(object, "/spec/rules") {
        host(draft, &id, rule.get("host"))?;
        // Traefik makes text of its own rule language of a path, in backticks.
        let paths = rule.pointer("/http/paths").and_then(Value::as_array);
        for path in paths.into_iter().flatten() {
            let text = path.get("path").and_then(Value::as_str).unwrap_or_default();
            if text.contains(['`', '"', '\\']) {
                return refuse(format!("the path {text:?}"));
            }
        }
    }
    for tls in list(object, "/spec/tls") {
        match tls.get("hosts").and_then(Value::as_array) {
            Some(hosts) if !hosts.is_empty() => {
                for name in hosts {
                    host(draft, &id, Some(name))?;
                }
            }
            _ => host(draft, &id, None)?,
        }
    }
    Ok(())
}

fn certificate(draft: &Draft<'_>, object: &Object) -> Result<(), Error> {
    let id = object.id().to_string();
    let none = Map::new();
    let spec = object.value().get("spec").and_then(Value::as_object);
    let spec = spec.unwrap_or(&none);
    // Names in other fields would be names all the same.
    for field in [
        "emailAddresses",
        "ipAddresses",
        "literalSubject",
        "otherNames",
        "uris",
    ] {
        if spec.contains_key(field) {
            return Err(object::refused_field(&id, &format!("spec.{field}")));
        }
    }
    for name in list(object, "/spec/dnsNames").chain(spec.get("commonName")) {
        host(draft, &id, Some(name))?;
    }
    Ok(())
}

fn list<'a>(object: &'a Object, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let items = object.value().pointer(pointer).and_then(Value::as_array);
    items.into_iter().flatten()
}

/// Checks a host as it stands in an object, where none at all means every host.
fn host(draft: &Draft<'_>, object: &str, host: Option<&Value>) -> Result<(), Error> {
    let host = host.and_then(Value::as_str).unwrap_or_default();
    if !names::is_subdomain(host) {
        let taken = match host {
            "" => "every host".to_owned(),
            host => format!("{host:?}"),
        };
        return Err(Error::new(
            format!("{object} takes {taken}, which is not one host name"),
            "name each host, and state it under `hosts` or `domains` of the instance",
        ));
    }
    own(draft, object, host)
}

/// Whether `host` is `parent` or below it.
fn within(host: &str, parent: &str) -> bool {
    host.strip_suffix(parent)
        .is_some_and(|head| head.is_empty() || head.ends_with('.'))
}

/// Refuses a host that is not this instance's alone: of all stated hosts of the cluster that are
/// the host or a parent of it, the longest decides.
fn own(draft: &Draft<'_>, object: &str, host: &str) -> Result<(), Error> {
    let instance = draft.instance;
    // Tutor derives further hosts from the LMS's, as in `meilisearch.<lms>`; from a domain, which
    // belongs to somebody else, it derives nothing.
    let below = instance.hosts.values().filter(|own| within(host, own));
    let itself = instance.domains.keys().filter(|own| *own == host);
    let own = below.chain(itself).map(String::len).max();
    let other = draft
        .others
        .iter()
        .flat_map(|other| {
            let stated = other.hosts.values().chain(other.domains.keys());
            stated.map(move |stated| (stated, *other))
        })
        .filter(|(stated, _)| within(host, stated))
        .max_by_key(|(stated, _)| stated.len());
    match other {
        Some((stated, other)) if own.is_none_or(|own| own <= stated.len()) => Err(Error::new(
            format!(
                "{object} takes {host}, and {other} states {stated}",
                other = other.address
            ),
            "state it under `hosts` or `domains` of the one instance that it belongs to",
        )),
        _ if own.is_none() => Err(Error::new(
            format!("{object} takes {host}, which neither `hosts` nor `domains` states"),
            "state it under `hosts` or `domains`",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use grove_fleet::{Address, model::Domain};
    use serde_json::{Value, json};

    use super::PASS;
    use crate::{
        Error,
        testing::{self, CADDYFILE, World, config_map},
    };

    /// A world with another instance on the same cluster, which states `hosts`.
    fn beside(hosts: &[&str]) -> World {
        let mut other = testing::instance();
        other.address = Address::new("prod", "rival");
        other.hosts = hosts
            .iter()
            .enumerate()
            .map(|(number, host)| (format!("s{number}"), (*host).to_owned()))
            .collect();
        World {
            others: vec![other],
            ..World::default()
        }
    }

    fn run(world: &World, sites: &[&str], more: Vec<Value>) -> Result<(), Error> {
        let sites = sites
            .iter()
            .map(|host| format!("{host}{{$default_site_port}} {{\n}}\n"));
        let caddyfile = format!("{CADDYFILE}{}", sites.collect::<String>());
        let mut objects = vec![config_map("caddy-config", "Caddyfile", &caddyfile)];
        objects.extend(more);
        (PASS.apply)(&mut world.draft(&[], objects)?)
    }

    fn ingress(spec: &Value) -> Value {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "x"}, "spec": spec})
    }

    fn rule(host: &str) -> Value {
        ingress(&json!({"rules": [{"host": host}]}))
    }

    fn tls(host: &str) -> Value {
        ingress(&json!({"tls": [{"hosts": [host]}]}))
    }

    fn certificate(spec: &Value) -> Value {
        json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "x"}, "spec": spec})
    }

    fn refusal(world: &World, object: Value) -> String {
        run(world, &[], vec![object]).unwrap_err().to_string()
    }

    #[test]
    fn own_hosts_and_what_is_below_them_are_taken() {
        let mut world = beside(&["rival.example", "uni.example", "deep.x.learn.uni.example"]);
        let service = "lms".to_owned();
        world.instance.domains.insert(
            "shop.example".into(),
            Domain {
                service,
                redirect: false,
                ..Domain::default()
            },
        );
        let names = ["learn.uni.example", "x.learn.uni.example", "shop.example"];
        let mut objects = vec![certificate(
            &json!({"dnsNames": names, "commonName": names[0]}),
        )];
        objects.push(ingress(&json!({
            "rules": [{"host": names[0]}, {"host": names[1]}, {"host": names[2]}],
            "tls": [{"hosts": names}],
        })));
        run(&world, &["x.learn.uni.example", "shop.example"], objects).unwrap();
    }

    #[test]
    fn hosts_of_another_instance_are_refused_wherever_they_stand() {
        let world = beside(&["rival.example"]);
        insta::assert_snapshot!(refusal(&world, rule("rival.example")), @"Ingress/x takes rival.example, and prod/rival states rival.example");
        insta::assert_snapshot!(refusal(&world, tls("rival.example")), @"Ingress/x takes rival.example, and prod/rival states rival.example");
        insta::assert_snapshot!(refusal(&world, certificate(&json!({"dnsNames": ["x.rival.example"]}))), @"Certificate/x takes x.rival.example, and prod/rival states rival.example");
        insta::assert_snapshot!(refusal(&world, certificate(&json!({"commonName": "rival.example"}))), @"Certificate/x takes rival.example, and prod/rival states rival.example");
        insta::assert_snapshot!(run(&world, &["rival.example"], vec![]).unwrap_err(), @"ConfigMap/caddy-config takes rival.example, and prod/rival states rival.example");
    }

    #[test]
    fn hosts_of_another_instance_below_an_own_host_are_refused() {
        let mut world = beside(&["labs.learn.uni.example"]);
        for host in ["labs.learn.uni.example", "x.labs.learn.uni.example"] {
            assert!(refusal(&world, rule(host)).contains("prod/rival"), "{host}");
            let error = run(&world, &[host], vec![]).unwrap_err();
            assert!(error.to_string().contains("prod/rival"), "{host}");
        }
        // A name that only ends alike is not below it.
        run(&world, &[], vec![rule("xlabs.learn.uni.example")]).unwrap();
        // A domain of the other is a stated host as well.
        world.others[0].hosts.clear();
        let service = "lms".to_owned();
        let domain = "labs.learn.uni.example".to_owned();
        world.others[0].domains.insert(
            domain,
            Domain {
                service,
                redirect: false,
                ..Domain::default()
            },
        );
        assert!(refusal(&world, rule("x.labs.learn.uni.example")).contains("prod/rival"));
    }

    #[test]
    fn a_host_that_two_instances_state_is_nobodys() {
        let world = beside(&["learn.uni.example"]);
        let error = refusal(&world, rule("x.learn.uni.example"));
        assert!(error.contains("prod/rival"), "{error}");
    }

    #[test]
    fn hosts_that_nobody_stated_are_refused() {
        let world = beside(&["rival.example"]);
        insta::assert_snapshot!(refusal(&world, rule("free.example")), @"Ingress/x takes free.example, which neither `hosts` nor `domains` states");
        insta::assert_snapshot!(refusal(&world, tls("xlearn.uni.example")), @"Ingress/x takes xlearn.uni.example, which neither `hosts` nor `domains` states");
        insta::assert_snapshot!(run(&world, &["free.example"], vec![]).unwrap_err(), @"ConfigMap/caddy-config takes free.example, which neither `hosts` nor `domains` states");
        let mut world = World::default();
        let service = "lms".to_owned();
        world.instance.domains.insert(
            "shop.example".into(),
            Domain {
                service,
                redirect: false,
                ..Domain::default()
            },
        );
        insta::assert_snapshot!(refusal(&world, rule("x.shop.example")), @"Ingress/x takes x.shop.example, which neither `hosts` nor `domains` states");
    }

    #[test]
    fn every_host_is_one_host() {
        let world = World::default();
        insta::assert_snapshot!(refusal(&world, rule("*.learn.uni.example")), @r#"Ingress/x takes "*.learn.uni.example", which is not one host name"#);
        insta::assert_snapshot!(refusal(&world, ingress(&json!({"rules": [{"http": {}}]}))), @"Ingress/x takes every host, which is not one host name");
        let open = [
            rule(""),
            rule("LEARN.uni.example"),
            tls("*.learn.uni.example"),
            ingress(&json!({"rules": [{"host": 1}]})),
            ingress(&json!({"tls": [{"secretName": "x"}]})),
            ingress(&json!({"tls": [{"hosts": []}]})),
            certificate(&json!({"dnsNames": ["*.learn.uni.example"]})),
        ];
        for object in open {
            let error = run(&world, &[], vec![object.clone()]).unwrap_err();
            let is_open = error.to_string().ends_with("which is not one host name");
            assert!(is_open, "{object}: {error}");
        }
    }

    #[test]
    fn ways_around_the_list_of_hosts_are_refused() {
        let world = World::default();
        insta::assert_snapshot!(refusal(&world, ingress(&json!({"defaultBackend": {}}))), @"Ingress/x sets spec.defaultBackend, which reaches beyond the instance");
        insta::assert_snapshot!(refusal(&world, certificate(&json!({"uris": ["x"]}))), @"Certificate/x sets spec.uris, which reaches beyond the instance");
        insta::assert_snapshot!(refusal(&world, ingress(&json!({"rules": [{"host": "learn.uni.example",
            "http": {"paths": [{"path": "/`) || Host(`rival.example"}]}}]}))), @r#"Ingress/x sets the path "/`) || Host(`rival.example", which reaches beyond the instance"#);
        for key in [
            "nginx.ingress.kubernetes.io/server-alias",
            "nginx.ingress.kubernetes.io/configuration-snippet",
            "traefik.ingress.kubernetes.io/router.pathmatcher",
            "cert-manager.io/common-name",
        ] {
            let mut object = rule("learn.uni.example");
            object["metadata"]["annotations"] = json!({key: "rival.example"});
            assert!(refusal(&world, object).contains(key), "{key}");
        }
    }
}
