//! A stack: one root module with one state.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use serde_json::Value;

use crate::{
    module::{Module, ModuleError},
    outputs::Outputs,
};

/// A stack's name in a fleet: `cluster:stack`, or `cluster/instance:stack`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The cluster.
    pub cluster: String,
    /// The instance that it belongs to; none for one of the cluster's own.
    pub instance: Option<String>,
    /// Its name, unique among the stacks of the cluster itself and of that instance.
    pub stack: String,
}

impl Address {
    /// A stack of a cluster.
    pub fn of_cluster(cluster: &str, stack: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            instance: None,
            stack: stack.to_owned(),
        }
    }

    /// A stack of an instance.
    pub fn of_instance(cluster: &str, instance: &str, stack: &str) -> Self {
        Self {
            instance: Some(instance.to_owned()),
            ..Self::of_cluster(cluster, stack)
        }
    }

    /// The directory of the fleet that belongs to its owner: `clusters/<c>` or `clusters/<c>/instances/<i>`.
    pub fn owner_directory(&self) -> String {
        match &self.instance {
            None => format!("clusters/{}", self.cluster),
            Some(instance) => format!("clusters/{}/instances/{instance}", self.cluster),
        }
    }

    /// The directory of its own files in the fleet.
    pub fn directory(&self) -> String {
        format!("{}/stacks/{}", self.owner_directory(), self.stack)
    }

    /// The file of its outputs in the fleet.
    pub fn outputs_file(&self) -> String {
        format!("{}/outputs/{}.json", self.owner_directory(), self.stack)
    }

    /// The SOPS file of its sensitive outputs in the fleet.
    pub fn outputs_secrets_file(&self) -> String {
        format!(
            "{}/outputs/{}.secrets.sops.yaml",
            self.owner_directory(),
            self.stack
        )
    }

    /// Cluster, instance where there is one, and stack.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        [
            Some(&self.cluster),
            self.instance.as_ref(),
            Some(&self.stack),
        ]
        .into_iter()
        .flatten()
        .map(String::as_str)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.instance {
            None => write!(formatter, "{}:{}", self.cluster, self.stack),
            Some(instance) => write!(formatter, "{}/{instance}:{}", self.cluster, self.stack),
        }
    }
}

/// Text that is no stack's address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no stack's address: one is `cluster:stack` or `cluster/instance:stack`")]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let error = || AddressError(text.to_owned());
        let (owner, stack) = text.split_once(':').ok_or_else(error)?;
        let parts: Vec<&str> = owner.split('/').collect();
        let is_name = |name: &&str| !name.is_empty() && !name.contains([':', '/']);
        if !parts.iter().all(is_name) || !is_name(&stack) {
            return Err(error());
        }
        match parts.as_slice() {
            [cluster] => Ok(Self::of_cluster(cluster, stack)),
            [cluster, instance] => Ok(Self::of_instance(cluster, instance, stack)),
            _ => Err(error()),
        }
    }
}

/// An output of another stack: `stack.output`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// A stack of the same instance, or else of the cluster.
    pub stack: String,
    /// The output's name.
    pub output: String,
}

impl Reference {
    /// Reads `stack.output`.
    pub fn parse(text: &str) -> Option<Self> {
        let (stack, output) = text.split_once('.')?;
        let is_fine = |text: &str| !text.is_empty() && !text.contains(['.', '/', ':', ' ']);
        (is_fine(stack) && is_fine(output)).then(|| Self {
            stack: stack.to_owned(),
            output: output.to_owned(),
        })
    }

    /// The stack that is meant, seen from an owner.
    pub fn resolve<V>(
        &self,
        cluster: &str,
        instance: Option<&str>,
        stacks: &BTreeMap<Address, V>,
    ) -> Option<Address> {
        let own = instance.map(|instance| Address::of_instance(cluster, instance, &self.stack));
        own.into_iter()
            .chain([Address::of_cluster(cluster, &self.stack)])
            .find(|address| stacks.contains_key(address))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.stack, self.output)
    }
}

/// Where the value of a variable comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The fleet states it.
    Value(Value),
    /// `{output: stack.name}`: another stack gave it.
    Output(Reference),
    /// `{secret: NAME}`: a secret of the stack's owner.
    Secret(String),
}

/// A stack of a fleet.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Its name in the fleet.
    pub address: Address,
    /// `inputs`: variable → where its value comes from.
    pub inputs: BTreeMap<String, Input>,
    /// `credentials`: environment variable → name of the secret of the cluster, those of the cluster included.
    pub credentials: BTreeMap<String, String>,
    /// `key`: the key of its state where it is not Grove's own choice.
    pub key: Option<String>,
    /// What it is made of.
    pub source: Source,
    /// Why its module could not be read.
    pub problem: Option<ModuleError>,
    /// `.terraform.lock.hcl` beside its files.
    pub lock: Option<Arc<[u8]>>,
    /// What it gave when it was last applied, where that is kept in the fleet.
    pub outputs: Option<Outputs>,
}

/// What a stack is made of.
#[derive(Clone, Debug)]
pub enum Source {
    /// The operator's own files, and Grove's where a provider has such a stack.
    Module {
        /// The root module, as far as it could be read.
        module: Module,
        /// Every file that it needs, by its path in the fleet; those of local modules are among them.
        files: BTreeMap<String, Arc<[u8]>>,
        /// Whether the files are Grove's.
        is_generated: bool,
    },
    /// Outputs that the fleet states; there is nothing to apply.
    Stated(BTreeMap<String, Input>),
}

impl Stack {
    /// The root module, where there is one.
    pub fn module(&self) -> Option<&Module> {
        match &self.source {
            Source::Module { module, .. } => Some(module),
            Source::Stated(_) => None,
        }
    }

    /// The outputs of other stacks that it reads, with the variable that gets each.
    pub fn references(&self) -> impl Iterator<Item = (&str, &Reference)> {
        self.inputs.iter().filter_map(|(name, input)| match input {
            Input::Output(reference) => Some((name.as_str(), reference)),
            _ => None,
        })
    }

    /// Whether it declares an output; none where that is not known before it is applied.
    pub fn declares(&self, output: &str) -> Option<bool> {
        match &self.source {
            Source::Stated(outputs) => Some(outputs.contains_key(output)),
            Source::Module { module, .. } => {
                let is = module.outputs.contains_key(output);
                (is || !module.is_partial).then_some(is)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for text in ["prod:network", "prod/uni:bucket"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for text in ["prod", "prod:", ":x", "a/b/c:d", "a/:x", "a:b:c", "a:b/c"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_instances_own_stack_is_nearer_than_its_clusters() {
        let reference = Reference::parse("data.host").unwrap();
        let mut stacks = BTreeMap::from([(Address::of_cluster("prod", "data"), 1)]);
        let seen = |stacks: &_| {
            reference
                .resolve("prod", Some("uni"), stacks)
                .unwrap()
                .to_string()
        };
        assert_eq!(seen(&stacks), "prod:data");
        stacks.insert(Address::of_instance("prod", "uni", "data"), 2);
        assert_eq!(seen(&stacks), "prod/uni:data");
        for text in ["data", "data.", ".x", "a.b.c", "a/b.c"] {
            assert_eq!(Reference::parse(text), None);
        }
    }
}
