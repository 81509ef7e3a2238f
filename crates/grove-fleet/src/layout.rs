//! Which file of a fleet is what.

use grove_stack::stack;

use crate::Address;

/// The fleet's own file.
pub const FLEET: &str = "grove.yaml";

/// What a file of a fleet is, by its path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `grove.yaml`.
    Fleet,
    /// `distributions/<name>.yaml`.
    Distribution(String),
    /// `distributions/<name>.lock`.
    Lock(String),
    /// `groups/<name>/group.yaml`.
    Group(String),
    /// `groups/<name>/secrets.sops.yaml`.
    GroupSecrets(String),
    /// `clusters/<name>/cluster.yaml`.
    Cluster(String),
    /// `clusters/<name>/secrets.sops.yaml`.
    ClusterSecrets(String),
    /// `clusters/<name>/sealing.pem`.
    Sealing(String),
    /// `clusters/<cluster>/instances/<instance>/instance.yaml`.
    Instance(Address),
    /// `clusters/<cluster>/instances/<instance>/secrets.sops.yaml`.
    InstanceSecrets(Address),
    /// A Tutor plugin: `plugins/<name>.py`, `.yml` or `.yaml`, of the fleet or of one instance.
    Plugin {
        /// The plugin's name.
        name: String,
        /// The instance that it belongs to; none for one that all share.
        instance: Option<Address>,
    },
    /// A file below `stacks/<name>/`, of a cluster or an instance.
    Stack(stack::Address),
    /// A file below `modules/`, which root modules of stacks may call.
    Module,
    /// `outputs/<stack>.json`, of a cluster or an instance.
    Outputs(stack::Address),
    /// `outputs/<stack>.secrets.sops.yaml`, of a cluster or an instance.
    OutputsSecrets(stack::Address),
    /// Anything else.
    Other,
}

impl Kind {
    /// What the file at `path` is; the path is relative to the fleet's root, with `/`.
    pub fn of(path: &str) -> Self {
        let parts = path.split('/').collect::<Vec<_>>();
        let name = |name: &str| name.to_owned();
        match parts.as_slice() {
            [FLEET] => Self::Fleet,
            ["distributions", file] => match file.rsplit_once('.') {
                Some((stem, "yaml")) => Self::Distribution(name(stem)),
                Some((stem, "lock")) => Self::Lock(name(stem)),
                _ => Self::Other,
            },
            ["groups", group, "group.yaml"] => Self::Group(name(group)),
            ["groups", group, "secrets.sops.yaml"] => Self::GroupSecrets(name(group)),
            ["plugins", file] => Self::plugin(file, None),
            ["modules", _, ..] => Self::Module,
            [
                "clusters",
                cluster,
                rest @ ("stacks" | "outputs"),
                stack @ ..,
            ] => Self::stack(rest, stack, |stack| {
                stack::Address::of_cluster(cluster, stack)
            }),
            ["clusters", cluster, "cluster.yaml"] => Self::Cluster(name(cluster)),
            ["clusters", cluster, "secrets.sops.yaml"] => Self::ClusterSecrets(name(cluster)),
            ["clusters", cluster, "sealing.pem"] => Self::Sealing(name(cluster)),
            ["clusters", cluster, "instances", instance, rest @ ..] => {
                let address = Address::new(cluster, instance);
                match rest {
                    ["instance.yaml"] => Self::Instance(address),
                    ["secrets.sops.yaml"] => Self::InstanceSecrets(address),
                    ["plugins", file] => Self::plugin(file, Some(address)),
                    [rest @ ("stacks" | "outputs"), stack @ ..] => {
                        Self::stack(rest, stack, |stack| {
                            stack::Address::of_instance(cluster, instance, stack)
                        })
                    }
                    _ => Self::Other,
                }
            }
            _ => Self::Other,
        }
    }

    /// A file below `stacks/` or `outputs/`.
    fn stack(directory: &str, rest: &[&str], address: impl Fn(&str) -> stack::Address) -> Self {
        match (directory, rest) {
            ("stacks", [stack, _, ..]) => Self::Stack(address(stack)),
            ("outputs", [file]) => {
                if let Some(stack) = file.strip_suffix(".secrets.sops.yaml") {
                    Self::OutputsSecrets(address(stack))
                } else if let Some(stack) = file.strip_suffix(".json") {
                    Self::Outputs(address(stack))
                } else {
                    Self::Other
                }
            }
            _ => Self::Other,
        }
    }

    fn plugin(file: &str, instance: Option<Address>) -> Self {
        match file.rsplit_once('.') {
            Some((name, "py" | "yml" | "yaml")) if !name.is_empty() => Self::Plugin {
                name: name.to_owned(),
                instance,
            },
            _ => Self::Other,
        }
    }

    /// Whether such a file is read as YAML.
    pub fn is_yaml(&self) -> bool {
        matches!(
            self,
            Self::Fleet
                | Self::Distribution(_)
                | Self::Group(_)
                | Self::Cluster(_)
                | Self::Instance(_)
        ) || self.is_secrets()
    }

    /// Whether such a file is one that SOPS encrypts.
    pub fn is_secrets(&self) -> bool {
        matches!(
            self,
            Self::GroupSecrets(_)
                | Self::ClusterSecrets(_)
                | Self::InstanceSecrets(_)
                | Self::OutputsSecrets(_)
        )
    }
}

/// The path of a distribution's file.
pub fn distribution(name: &str) -> String {
    format!("distributions/{name}.yaml")
}

/// The path of a distribution's lock.
pub fn lock(name: &str) -> String {
    format!("distributions/{name}.lock")
}

/// The path of a group's file.
pub fn group(name: &str) -> String {
    format!("groups/{name}/group.yaml")
}

/// The path of a group's secrets.
pub fn group_secrets(name: &str) -> String {
    format!("groups/{name}/secrets.sops.yaml")
}

/// The path of a cluster's file.
pub fn cluster(name: &str) -> String {
    format!("clusters/{name}/cluster.yaml")
}

/// The path of a cluster's secrets.
pub fn cluster_secrets(name: &str) -> String {
    format!("clusters/{name}/secrets.sops.yaml")
}

/// The path of a cluster's sealing certificate.
pub fn sealing(name: &str) -> String {
    format!("clusters/{name}/sealing.pem")
}

/// The directory of an instance.
pub fn instance_directory(address: &Address) -> String {
    format!(
        "clusters/{}/instances/{}",
        address.cluster, address.instance
    )
}

/// The path of an instance's file.
pub fn instance(address: &Address) -> String {
    format!("{}/instance.yaml", instance_directory(address))
}

/// The path of an instance's secrets.
pub fn instance_secrets(address: &Address) -> String {
    format!("{}/secrets.sops.yaml", instance_directory(address))
}
