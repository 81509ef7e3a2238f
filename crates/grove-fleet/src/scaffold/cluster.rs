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
    /// Its stacks, where Grove makes it.
    pub infrastructure: Option<&'a NewInfrastructure>,
}

/// The stacks of a cluster to be made.
#[derive(Clone, Debug, Default)]
pub struct NewInfrastructure {
    /// `state`: its keys and values, `backend` first.
    pub state: Vec<(&'static str, String)>,
    /// `credentials`: variables, each kept as a secret of the same name.
    pub credentials: Vec<String>,
    /// The provider's region.
    pub region: Option<String>,
    /// Zones of the region, where the provider asks for them.
    pub zones: Vec<String>,
    /// The version of Kubernetes.
    pub kubernetes_version: Option<String>,
    /// The name of a key pair for nodes, where the provider asks for one.
    pub ssh_key: Option<String>,
    /// Whether it has managed databases.
    pub has_data: bool,
}

/// `cluster.yaml`. The sealing key pair is made elsewhere: it is a secret.
pub fn cluster(new: NewCluster<'_>) -> Files {
    let domain = match new.domain {
        Some(domain) => format!("domain: {}\n", scalar(domain)),
        None => "# domain: example.org\n".to_owned(),
    };
    let infrastructure = new
        .infrastructure
        .map(|infrastructure| infrastructure.text(new.provider))
        .unwrap_or_default();
    let text = format!(
        "\
{head}# aws, digitalocean, local (kind, k3d) or existing.
provider: {provider}
# The domain under which the cluster's own names are.
{domain}{infrastructure}
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

impl NewInfrastructure {
    /// `state`, `credentials` and `stacks`.
    fn text(&self, provider: &str) -> String {
        let state = self.state.iter();
        let state = state.map(|(key, value)| format!("  {key}: {}\n", scalar(value)));
        let state = state.collect::<Vec<_>>().concat();
        let credentials = match self.credentials.as_slice() {
            [] => "# credentials: {DIGITALOCEAN_TOKEN: DIGITALOCEAN_TOKEN}\n".to_owned(),
            names => {
                let names = names.iter().map(|name| format!("  {name}: {name}\n"));
                format!("credentials:\n{}", names.collect::<Vec<_>>().concat())
            }
        };
        let stacks = self.stacks(provider).into_iter().map(|(stack, inputs)| {
            if inputs.is_empty() {
                return format!("  {stack}: {{}}\n");
            }
            let inputs = inputs
                .iter()
                .map(|(name, value)| format!("      {name}: {value}\n"));
            format!(
                "  {stack}:\n    inputs:\n{}",
                inputs.collect::<Vec<_>>().concat()
            )
        });
        let stacks = stacks.collect::<Vec<_>>().concat();
        format!(
            "
# Where states are kept: one for each stack, under a key that no other has.
state:
{state}
# What providers and the back end find in their environment: variable → secret of this cluster
# (`grove secret set CLUSTER NAME --cluster-only`). What your own environment has passes, too.
{credentials}
# What is applied, in the order in which one reads the other; `grove stack list` shows what each takes.
stacks:
{stacks}"
        )
    }

    /// Each stack of the provider, and its inputs as YAML.
    fn stacks(&self, provider: &str) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
        let output = |from: &str| format!("{{output: {from}}}");
        let text = |value: &Option<String>| scalar(value.as_deref().unwrap_or_default());
        let zones: Vec<String> = self.zones.iter().map(|zone| scalar(zone)).collect();
        let region = ("region", output("network.region"));
        let vpc = ("vpc_id", output("network.vpc_id"));
        let subnets = ("private_subnets", output("network.private_subnets"));
        let version = ("kubernetes_version", text(&self.kubernetes_version));
        let network_id = ("network_id", output("network.network_id"));
        let mut stacks = match provider {
            "digitalocean" => vec![
                ("network", vec![("region", text(&self.region))]),
                ("cluster", vec![region.clone(), vpc.clone(), version]),
            ],
            "aws" => vec![
                (
                    "network",
                    vec![
                        ("region", text(&self.region)),
                        ("availability_zones", format!("[{}]", zones.join(", "))),
                    ],
                ),
                (
                    "cluster",
                    vec![
                        region.clone(),
                        vpc.clone(),
                        subnets.clone(),
                        version,
                        ("ssh_key_name", text(&self.ssh_key)),
                        // `{secret: NAME}` once there is one.
                        ("registry_credentials", "\"\"".to_owned()),
                    ],
                ),
            ],
            "local" => vec![("cluster", Vec::new())],
            _ => vec![
                ("network", Vec::new()),
                ("cluster", vec![network_id.clone()]),
            ],
        };
        if self.has_data {
            match provider {
                "digitalocean" => stacks.push((
                    "data",
                    vec![
                        region,
                        vpc,
                        ("cluster_name", output("cluster.cluster_name")),
                        ("access_token", "{secret: DIGITALOCEAN_TOKEN}".to_owned()),
                    ],
                )),
                "aws" => stacks.push((
                    "data",
                    vec![region, vpc, subnets, ("cidr", output("network.cidr"))],
                )),
                "local" => {}
                _ => stacks.push(("data", vec![network_id])),
            }
        }
        stacks
    }
}
