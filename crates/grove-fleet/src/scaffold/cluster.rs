//! `clusters/<name>/cluster.yaml`.

use super::{Files, head, scalar};
use crate::{layout, shape::FileKind};

/// A cluster to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewCluster<'a> {
    /// Its name.
    pub name: &'a str,
    /// `aws`, `digitalocean`, `local` or `existing`.
    pub provider: &'a str,
    /// The domain under which its own names are.
    pub domain: Option<&'a str>,
}

/// `cluster.yaml`. The sealing key pair is made elsewhere: it is a secret.
pub fn cluster(new: NewCluster<'_>) -> Files {
    let domain = match new.domain {
        Some(domain) => format!("domain: {}\n", scalar(domain)),
        None => "# domain: example.org\n".to_owned(),
    };
    let text = format!(
        "\
{head}# aws, digitalocean, local (kind, k3d) or existing.
provider: {provider}
# The domain under which the cluster's own names are.
{domain}
# How requests get in, and where TLS certificates come from: what Harmony installs, unless stated.
# ingress: {{class: traefik}}
# certificates: {{issuer: harmony-letsencrypt-global}}

# What this cluster's instances have unless a group or they themselves say otherwise.
# defaults:
#   config: {{}}
",
        head = head(FileKind::Cluster),
        provider = scalar(new.provider),
    );
    Files::from([(layout::cluster(new.name), text)])
}
