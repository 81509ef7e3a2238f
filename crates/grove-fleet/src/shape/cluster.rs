//! `clusters/<name>/cluster.yaml`.

use super::{
    data, layered, stack,
    table::{Key, Shape, Type},
};
use crate::words::Choice;

pub(super) static SHAPE: Shape = Shape {
    path: "clusters/*/cluster.yaml",
    doc: "One Kubernetes cluster and what all of its instances share.",
    keys: &[KEYS],
};

const KEYS: &[Key] = &[
    Key::new(
        "provider",
        Type::OneOf(&[
            Choice::now("aws", "Amazon Web Services."),
            Choice::now("digitalocean", "DigitalOcean."),
            Choice::now("local", "A cluster on this machine: kind or k3d."),
            Choice::now("existing", "A cluster that somebody else made."),
            Choice::hidden("simulated", "Files of a directory."),
        ]),
        "Whose cluster it is.",
    )
    .required(),
    Key::new(
        "domain",
        Type::Text,
        "The domain under which the cluster's own names are.",
    ),
    Key::new(
        "kubernetes",
        Type::Object(&[&[
            Key::new(
                "server",
                Type::Text,
                "The address of the API server, by which the context of the user's kubeconfig is found.",
            ),
            Key::new(
                "uid",
                Type::Text,
                "The uid of the namespace `kube-system`, which proves before each write that the cluster is the one that is meant; bootstrap records it.",
            ),
        ]]),
        "Which Kubernetes cluster it is. Credentials are the user's own.",
    ),
    Key::new(
        "harmony",
        Type::Object(&[&[
            Key::new("version", Type::Text, "The chart's version.").required(),
            Key::new(
                "chart",
                Type::Text,
                "Where the chart is: an `https` or `oci` address of a Helm repository, or `charts/NAME`, a directory of the fleet, which travels with the deploy tree. Upstream's repository where nothing is said.",
            ),
            Key::new(
                "namespace",
                Type::Text,
                "The namespace that it is installed to; `harmony` where nothing is said.",
            ),
            Key::new(
                "values",
                Type::Map(&Type::Any),
                "The chart's values, over the defaults of the provider.",
            ),
            Key::new(
                "crds",
                Type::Object(&[&[
                    Key::new("cert-manager", Type::Text, "That of cert-manager."),
                    Key::new("velero", Type::Text, "That of Velero."),
                ]]),
                "The versions of the custom resource definitions that the chart needs and does not bring, ones that the bundle has; the bundle's defaults where nothing is said.",
            ),
        ]]),
        "Harmony: what Open edX instances share in a cluster, as a Helm chart.",
    ),
    Key::new(
        "argo",
        Type::Object(&[&[
            Key::new(
                "topology",
                Type::OneOf(&[
                    Choice::now("local", "Argo CD runs in the cluster itself."),
                    Choice::later("central", "One Argo CD serves several clusters."),
                ]),
                "Where Argo CD runs.",
            ),
            Key::new(
                "namespace",
                Type::Text,
                "The namespace in which Argo CD runs; `argocd` where nothing is said.",
            ),
            Key::new(
                "versions",
                Type::Object(&[&[Key::new(
                    "argocd",
                    Type::Text,
                    "Argo CD's version, one that the bundle has; the bundle's default where nothing is said.",
                )]]),
                "The versions of the engines that Grove installs. They move only by a change here.",
            ),
        ]]),
        "How the cluster is deployed to.",
    ),
    Key::new(
        "ingress",
        Type::Object(&[&[Key::new(
            "class",
            Type::Text,
            "The ingress class; `traefik` where nothing is said.",
        )]]),
        "How requests get in.",
    ),
    Key::new(
        "certificates",
        Type::Object(&[&[Key::new(
            "issuer",
            Type::Text,
            "The name of the cert-manager `ClusterIssuer`; `harmony-letsencrypt-global` where nothing is said.",
        )]]),
        "Where TLS certificates come from.",
    ),
    Key::new(
        "secrets",
        Type::Object(&[&[
            Key::new(
                "backend",
                Type::OneOf(&[
                    Choice::now(
                        "sealed-secrets",
                        "Sealed Secrets, with a key of the fleet's own.",
                    ),
                    Choice::later("external-secrets", "External Secrets."),
                ]),
                "What opens secrets in the cluster.",
            ),
            Key::new(
                "version",
                Type::Text,
                "The version of the controller of Sealed Secrets, one that the bundle has; the bundle's default where nothing is said.",
            ),
        ]]),
        "How secrets reach the cluster.",
    ),
    Key::new(
        "servers",
        data::SERVERS,
        "Servers that instances share, by name: `data` of an instance names them.",
    ),
    Key::new(
        "admin_image",
        Type::Text,
        "The image in which Jobs of `grove data` make users and databases: one with the drivers of Open edX, and nothing of a client's. Tutor's own image of Open edX, of the instance's version, where nothing is said.",
    ),
    Key::new(
        "state",
        stack::STATE,
        "Where the states of the cluster's stacks, and of its instances', are kept: a state each.",
    ),
    Key::new(
        "credentials",
        stack::CREDENTIALS,
        "What back end and providers find in their environment: variable → name of a secret of the cluster. What your own environment has passes too.",
    ),
    Key::new(
        "environment",
        Type::List(&Type::Text),
        "Variables of your own environment that providers see beside those of well-known clouds and services: `NAME`, or `NAME_*` for all that begin so.",
    ),
    Key::new(
        "stacks",
        stack::STACKS,
        "The cluster's stacks by name: those that Grove has for its provider, and what the operator's own (`stacks/NAME/*.tf`) need.",
    ),
    Key::new(
        "addons",
        Type::Map(&Type::Map(&Type::Any)),
        "Add-ons by name, with their values: those of Grove (`maintenance-pages`) and those of the fleet, `addons/NAME/`.",
    ),
    Key::new(
        "defaults",
        Type::Object(&[layered::RING, layered::KEYS]),
        "What the cluster's instances get: any layered key of `instance.yaml`.",
    ),
];
