//! Who reaches an instance's pods, and whom they reach.

use std::collections::BTreeSet;

use grove_fleet::network::is_network;
use serde_json::{Value, json};

use super::{draft::Draft, pass::Pass};
use crate::{Error, names, object};

pub(super) const PASS: Pass = Pass {
    name: "isolation",
    summary: "With `network.isolate`, an instance's pods are reached by each other alone, and what an Ingress \
              leads to from the ingress controller as well. They reach each other, the cluster's DNS, and \
              what lies outside of private networks, or the networks that the fleet names.",
    changes: &["NetworkPolicy"],
    apply,
};

/// Networks that are somebody's own: other pods, nodes, and the cloud's metadata among them
/// (<https://www.iana.org/assignments/iana-ipv4-special-registry>).
const PRIVATE: &[&str] = &[
    "10.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
];
const PRIVATE_6: &[&str] = &["fc00::/7", "fe80::/10"];

/// Where nodes that keep answers of the cluster's DNS listen
/// (<https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/>).
const NODE_DNS: &str = "169.254.20.10/32";

/// The label of a namespace that holds its name.
const NAMESPACE: &str = "kubernetes.io/metadata.name";

/// The label of the pods with which cert-manager answers a challenge
/// (<https://cert-manager.io/docs/configuration/acme/http01/>).
const SOLVER: &str = "acme.cert-manager.io/http01-solver";

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let network = &draft.instance.network;
    if !network.isolate {
        return Ok(());
    }
    let harmony = draft
        .cluster
        .harmony
        .as_ref()
        .map(|harmony| &harmony.namespace);
    let callers: BTreeSet<&String> = network.ingress.iter().chain(harmony).collect();
    if callers.is_empty() {
        return Err(Error::new(
            "`network.isolate` lets nobody in: the cluster has no Harmony, and `network.ingress` names no namespace",
            "name the namespace of the ingress controller under `network.ingress`",
        ));
    }
    if let Some(wrong) = callers.iter().find(|name| !names::is_label(name)) {
        return Err(object::bad_name("Namespace", wrong));
    }
    if let Some(wrong) = network.egress.iter().find(|text| !is_network(text)) {
        return Err(bad_network("network.egress", wrong));
    }
    let outside = if network.egress.is_empty() {
        vec![
            json!({"ipBlock": {"cidr": "0.0.0.0/0", "except": PRIVATE}}),
            json!({"ipBlock": {"cidr": "::/0", "except": PRIVATE_6}}),
        ]
    } else {
        let blocks = network.egress.iter();
        blocks
            .map(|cidr| json!({"ipBlock": {"cidr": with_length(cidr)}}))
            .collect()
    };
    let own = json!({"podSelector": {}});
    let dns = json!([{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]);
    let body = json!({"spec": {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [own]}],
        "egress": [
            {"to": [own]},
            {"to": [
                {"namespaceSelector": {"matchLabels": {NAMESPACE: "kube-system"}}},
                {"ipBlock": {"cidr": NODE_DNS}},
            ], "ports": dns},
            {"to": outside},
        ],
    }});
    draft.add("networking.k8s.io/v1", "NetworkPolicy", "isolate", body)?;

    let from: Vec<Value> = callers
        .iter()
        .map(|name| json!({"namespaceSelector": {"matchLabels": {NAMESPACE: name}}}))
        .collect();
    let mut targets = served(draft);
    targets.insert("solver".to_owned(), json!({SOLVER: "true"}));
    for (name, labels) in targets {
        let body = json!({"spec": {
            "podSelector": {"matchLabels": labels},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": from}],
        }});
        let name = format!("ingress-{name}");
        draft.add("networking.k8s.io/v1", "NetworkPolicy", &name, body)?;
    }
    Ok(())
}

/// The labels of the pods that Ingresses lead to, by the Service between them.
fn served(draft: &Draft<'_>) -> std::collections::BTreeMap<String, Value> {
    let paths = draft
        .objects
        .iter()
        .filter(|object| object.kind() == "Ingress")
        .filter_map(|ingress| ingress.value().pointer("/spec/rules")?.as_array())
        .flatten()
        .filter_map(|rule| rule.pointer("/http/paths")?.as_array())
        .flatten();
    paths
        .filter_map(|path| path.pointer("/backend/service/name")?.as_str())
        .filter_map(|name| {
            let service = draft.objects.get("", "Service", name)?;
            let selector = service.value().pointer("/spec/selector")?;
            Some((name.to_owned(), selector.clone()))
        })
        .collect()
}

/// A single address as the network that is only itself.
fn with_length(text: &str) -> String {
    match (text.contains('/'), text.contains(':')) {
        (true, _) => text.to_owned(),
        (false, true) => format!("{text}/128"),
        (false, false) => format!("{text}/32"),
    }
}

/// The error for a text of a key of the fleet that is no address and no network.
pub(super) fn bad_network(key: &str, text: &str) -> Error {
    Error::new(
        format!("`{key}` has {text:?}, which is no address and no network"),
        "an address is like `203.0.113.7`, a network like `198.51.100.0/24`",
    )
}

#[cfg(test)]
mod tests {
    use grove_fleet::model::Network;
    use serde_json::json;

    use super::{super::ingress, PASS};
    use crate::testing::{self, CADDYFILE, caddy_service, config_map};

    fn run(network: Network) -> Result<String, crate::Error> {
        let mut world = testing::World::default();
        world.instance.network = network;
        let mut service = caddy_service();
        service["spec"]["selector"] = json!({"app.kubernetes.io/name": "caddy"});
        let objects = vec![config_map("caddy-config", "Caddyfile", CADDYFILE), service];
        let mut draft = world.draft(&[], objects)?;
        (ingress::PASS.apply)(&mut draft)?;
        let changes = testing::run(&PASS, &mut draft)?;
        let made = draft
            .objects
            .iter()
            .filter(|object| object.kind() == "NetworkPolicy");
        let made: Vec<String> = made
            .map(|object| object.value()["spec"].to_string())
            .collect();
        Ok(format!("{changes}\n{}", made.join("\n")))
    }

    #[test]
    fn only_what_is_served_is_reached_from_outside() {
        let mut network = Network::default();
        assert_eq!(run(network.clone()).unwrap(), "\n");
        network.isolate = true;
        insta::assert_snapshot!(run(network.clone()).unwrap_err(), @"`network.isolate` lets nobody in: the cluster has no Harmony, and `network.ingress` names no namespace");
        network.ingress = vec!["traefik".to_owned()];
        insta::assert_snapshot!(run(network.clone()).unwrap(), @r#"
        + NetworkPolicy/ingress-caddy
        + NetworkPolicy/ingress-solver
        + NetworkPolicy/isolate
        {"ingress":[{"from":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"traefik"}}}]}],"podSelector":{"matchLabels":{"app.kubernetes.io/name":"caddy"}},"policyTypes":["Ingress"]}
        {"ingress":[{"from":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"traefik"}}}]}],"podSelector":{"matchLabels":{"acme.cert-manager.io/http01-solver":"true"}},"policyTypes":["Ingress"]}
        {"egress":[{"to":[{"podSelector":{}}]},{"ports":[{"port":53,"protocol":"UDP"},{"port":53,"protocol":"TCP"}],"to":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"kube-system"}}},{"ipBlock":{"cidr":"169.254.20.10/32"}}]},{"to":[{"ipBlock":{"cidr":"0.0.0.0/0","except":["10.0.0.0/8","100.64.0.0/10","169.254.0.0/16","172.16.0.0/12","192.168.0.0/16"]}},{"ipBlock":{"cidr":"::/0","except":["fc00::/7","fe80::/10"]}}]}],"ingress":[{"from":[{"podSelector":{}}]}],"podSelector":{},"policyTypes":["Ingress","Egress"]}
        "#);
        network.egress = vec!["10.1.0.0/16".to_owned(), "192.0.2.1".to_owned()];
        assert!(run(network.clone()).unwrap().contains(
            r#"{"to":[{"ipBlock":{"cidr":"10.1.0.0/16"}},{"ipBlock":{"cidr":"192.0.2.1/32"}}]}"#
        ));
        network.egress.push("10.1.0.0/33".to_owned());
        insta::assert_snapshot!(run(network).unwrap_err(), @r#"`network.egress` has "10.1.0.0/33", which is no address and no network"#);
    }
}
