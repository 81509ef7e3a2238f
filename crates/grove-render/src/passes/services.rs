//! Services inside the cluster only.

use super::{draft::Draft, pass::Pass};
use crate::Error;

pub(super) const PASS: Pass = Pass {
    name: "services",
    summary: "Services of type NodePort and LoadBalancer become ClusterIP: requests come through the \
              cluster's ingress alone, and no instance opens a port on every node.",
    changes: &["Service /spec"],
    apply,
};

/// Fields that only the replaced types know.
const FIELDS: &[&str] = &[
    "allocateLoadBalancerNodePorts",
    "externalTrafficPolicy",
    "healthCheckNodePort",
    "loadBalancerClass",
    "loadBalancerIP",
    "loadBalancerSourceRanges",
];

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let services = draft
        .objects
        .iter_mut()
        .filter(|object| object.group().is_empty() && object.kind() == "Service");
    for service in services {
        let Some(spec) = service
            .value_mut()
            .get_mut("spec")
            .and_then(|s| s.as_object_mut())
        else {
            continue;
        };
        if !matches!(
            spec.get("type").and_then(|kind| kind.as_str()),
            Some("NodePort" | "LoadBalancer")
        ) {
            continue;
        }
        spec.insert("type".to_owned(), "ClusterIP".into());
        for field in FIELDS {
            spec.remove(*field);
        }
        let ports = spec.get_mut("ports").and_then(|ports| ports.as_array_mut());
        for port in ports.into_iter().flatten() {
            if let Some(port) = port.as_object_mut() {
                port.remove("nodePort");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::PASS;
    use crate::testing;

    #[test]
    fn nothing_is_opened_on_nodes() {
        let service = |name: &str, spec: serde_json::Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec});
        insta::assert_snapshot!(testing::changes(&PASS, vec![
            service("mfe", json!({"type": "NodePort", "ports": [{"port": 8002, "nodePort": 30000}]})),
            service("caddy", json!({"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": []})),
            service("mysql", json!({"type": "ClusterIP", "ports": []})),
            service("elsewhere", json!({"type": "ExternalName", "externalName": "db.example"})),
        ]), @r#"
        - Service/caddy /spec/externalTrafficPolicy: "Local"
        ~ Service/caddy /spec/type: "LoadBalancer" → "ClusterIP"
        - Service/mfe /spec/ports/0/nodePort: 30000
        ~ Service/mfe /spec/type: "NodePort" → "ClusterIP"
        "#);
    }
}
