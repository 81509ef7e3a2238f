//! A namespace that an instance cannot have.

use grove_fleet::layout;

use crate::{
    Severity,
    findings::{Findings, quote},
    names,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-namespace",
    severity: Severity::Error,
    summary: "an instance's namespace is not a name, or belongs to the system",
    documentation: "\
`identity.namespace` is not a name of lower-case letters, digits and inner dashes, or is a namespace
in which the cluster's own parts run: `default`, `kube-system` and all others with `kube-`, that of
Argo CD, and those of the parts that every cluster has.

An instance owns its namespace whole: its labels, its limits, everything in it. In one of the
system's it would overwrite what keeps the cluster running.

Choose another name before the first release; it can never be changed afterwards.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(
            "client: uni
environment: staging
ring: general
identity: {namespace: kube-system, id: Zk3jH8sd92LqPw1xVb7nT4cR}
hosts: {lms: learn.uni.example, cms: studio.uni.example}
",
        ),
    )]),
    hides_source: false,
    check,
};

/// Namespaces of the parts that run on every cluster.
const SYSTEM: &[&str] = &[
    "argo",
    "argo-events",
    "argocd",
    "cert-manager",
    "default",
    "harmony",
    "ingress-nginx",
    "monitoring",
    "sealed-secrets",
    "traefik",
    "velero",
];

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (address, instance) in &view.fleet.instances {
        let namespace = instance.identity.namespace.as_str();
        let of_argo = view
            .fleet
            .clusters
            .get(&address.cluster)
            .is_some_and(|cluster| cluster.argocd_namespace == namespace);
        let place = || [view.value(&layout::instance(address), &["identity", "namespace"])];
        if let Err(what) = names::label(namespace) {
            findings.add(format!("namespace {} {what}", quote(namespace)), place());
        } else if of_argo || namespace.starts_with("kube-") || SYSTEM.contains(&namespace) {
            findings.add_with_hint(
                format!(
                    "namespace {} belongs to the cluster itself",
                    quote(namespace)
                ),
                place(),
                "give the instance a namespace of its own",
            );
        }
    }
}
