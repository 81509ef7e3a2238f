//! The files of a stack's root module as OpenTofu runs them, and what they are made from.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::{
    backend::{PASSPHRASE, Storage},
    outputs::OutputValue,
    stack::{Address, Input, Source, Stack},
};

/// The file that names the back end.
pub const BACKEND_FILE: &str = "grove.tf";
/// The file with the values of variables, but for secret ones.
pub const INPUTS_FILE: &str = "grove.auto.tfvars.json";
/// The file in which OpenTofu keeps versions and hashes of providers.
pub const LOCK_FILE: &str = ".terraform.lock.hcl";

/// Variables whose values Grove knows: a root module that declares one gets it.
pub const FACTS: [&str; 6] = [
    "grove_cluster",
    "grove_domain",
    "grove_environment",
    "grove_hosts",
    "grove_instance",
    "grove_namespace",
];

/// What a stack needs around it.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The fleet's name.
    pub fleet: &'a str,
    /// Every stack of the fleet.
    pub stacks: &'a BTreeMap<Address, Stack>,
    /// Where its cluster keeps states.
    pub storage: &'a Storage,
    /// What Grove tells any root module that asks, by the name of the variable (`grove_cluster`, …).
    pub facts: &'a BTreeMap<&'static str, Value>,
    /// Digests of the owner's secrets, by name: they change when the secret does.
    pub secrets: &'a BTreeMap<String, String>,
    /// Digests of the cluster's own secrets, which passphrases and stated outputs of clusters are of.
    pub cluster_secrets: &'a BTreeMap<String, String>,
}

/// A root module that can be run.
#[derive(Clone, Debug)]
pub struct Root {
    /// The directory in which OpenTofu runs, from the fleet's root.
    pub directory: String,
    /// Every file, by its path from the fleet's root; that of the back end is not among them.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Variables whose values are secret, and where each comes from.
    pub secret: BTreeMap<String, SecretInput>,
    /// The key of its state.
    pub key: String,
    /// `sha256:` and 64 digits over everything that decides what an apply does.
    pub digest: String,
    storage: Storage,
    /// Digests of what the secret variables get.
    digests: BTreeMap<String, String>,
}

/// Where the value of a secret variable is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretInput {
    /// A secret of the stack's owner, by name.
    Secret(String),
    /// A secret of the cluster's own, by name.
    OfCluster(String),
    /// A sensitive output.
    Output {
        /// The stack that gave it.
        stack: Address,
        /// Its name.
        output: String,
    },
}

/// Why a stack cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    /// It is not there yet.
    #[error("it waits for `{stack}`, which has no outputs yet")]
    NoOutputs {
        /// The stack that must be applied first.
        stack: Address,
    },
    /// It was applied and did not give what is asked for.
    #[error("`{stack}` gave no output `{output}`")]
    NoOutput {
        /// The stack that was applied.
        stack: Address,
        /// What it lacks.
        output: String,
    },
    /// The value does not fit the variable.
    #[error(transparent)]
    Misfit(Box<Misfit>),
    /// It names a stack or secret that is not there. The check says so too.
    #[error("it reads `{0}`, which is not there")]
    Unknown(String),
    /// It is sensitive, and the place where it is read is not.
    #[error("`{0}` is sensitive and cannot stand in plain configuration")]
    Sensitive(String),
    /// Its outputs are stated in the fleet.
    #[error("its outputs are stated in the fleet: there is nothing to apply")]
    Stated,
}

/// A value that does not fit the variable that is to get it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the output `{output}` of `{stack}` does not fit the variable `{variable}`: {why}")]
pub struct Misfit {
    /// The stack that was applied.
    pub stack: Address,
    /// The output.
    pub output: String,
    /// The variable that gets it.
    pub variable: String,
    /// What is wrong.
    pub why: String,
}

impl Blocked {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoOutputs { stack } | Self::NoOutput { stack, .. } => {
                Some(format!("`grove stack apply {stack}` first"))
            }
            Self::Sensitive(_) => Some("keep it as a secret: `grove secret set`".to_owned()),
            _ => None,
        }
    }
}

/// The value of a reference.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved<'a> {
    /// It may be read by anyone.
    Plain(&'a Value),
    /// It is in the SOPS file of that stack.
    Sensitive {
        /// The stack that gave it.
        stack: Address,
        /// The digest of its ciphertext.
        digest: &'a str,
    },
    /// The fleet states that it is this secret of the stack's owner.
    Secret {
        /// The stack that states it.
        stack: Address,
        /// The secret's name.
        name: &'a str,
    },
}

/// The value of an output that `cluster`, or one of its instances, reads.
///
/// # Errors
///
/// A stack that is not there, or has not given it yet.
pub fn resolve<'a>(
    reference: &crate::stack::Reference,
    cluster: &str,
    instance: Option<&str>,
    stacks: &'a BTreeMap<Address, Stack>,
) -> Result<Resolved<'a>, Blocked> {
    let unknown = || Blocked::Unknown(reference.to_string());
    let address = reference
        .resolve(cluster, instance, stacks)
        .ok_or_else(unknown)?;
    let stack = stacks.get(&address).ok_or_else(unknown)?;
    let missing = || Blocked::NoOutput {
        stack: address.clone(),
        output: reference.output.clone(),
    };
    if let Source::Stated(outputs) = &stack.source {
        return match outputs.get(&reference.output).ok_or_else(missing)? {
            Input::Value(value) => Ok(Resolved::Plain(value)),
            Input::Secret(name) => Ok(Resolved::Secret {
                stack: address,
                name,
            }),
            Input::Output(_) => Err(missing()),
        };
    }
    let outputs = stack.outputs.as_ref().ok_or_else(|| Blocked::NoOutputs {
        stack: address.clone(),
    })?;
    match outputs.outputs.get(&reference.output).ok_or_else(missing)? {
        OutputValue::Plain { value } => Ok(Resolved::Plain(value)),
        OutputValue::Sensitive { sensitive } => Ok(Resolved::Sensitive {
            stack: address,
            digest: sensitive,
        }),
    }
}

/// Makes the root module of a stack.
///
/// # Errors
///
/// What it waits for.
pub fn root(stack: &Stack, around: Surroundings<'_>) -> Result<Root, Blocked> {
    let Source::Module { module, files, .. } = &stack.source else {
        return Err(Blocked::Stated);
    };
    let address = &stack.address;
    let directory = address.directory();
    let backend = &around.storage.backend;
    let key = stack
        .key
        .clone()
        .unwrap_or_else(|| backend.key(around.fleet, address));
    let mut plain = Map::new();
    let mut secret = BTreeMap::new();
    let mut digests: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in around.facts {
        if module.variables.contains_key(*name) {
            plain.insert((*name).to_owned(), value.clone());
        }
    }
    let known = |secrets: &BTreeMap<String, String>, name: &str| {
        let digest = secrets.get(name).cloned();
        digest.ok_or_else(|| Blocked::Unknown(format!("secret {name}")))
    };
    for (variable, input) in &stack.inputs {
        match input {
            Input::Value(value) => {
                plain.insert(variable.clone(), value.clone());
            }
            Input::Secret(name) => {
                digests.insert(variable.clone(), known(around.secrets, name)?);
                secret.insert(variable.clone(), SecretInput::Secret(name.clone()));
            }
            Input::Output(reference) => {
                let instance = address.instance.as_deref();
                match resolve(reference, &address.cluster, instance, around.stacks)? {
                    Resolved::Plain(value) => {
                        if let Some(declared) = module.variables.get(variable) {
                            let fits = declared.holds.check(value);
                            fits.map_err(|why| {
                                Blocked::Misfit(Box::new(Misfit {
                                    stack: reference
                                        .resolve(&address.cluster, instance, around.stacks)
                                        .unwrap_or_else(|| address.clone()),
                                    output: reference.output.clone(),
                                    variable: variable.clone(),
                                    why,
                                }))
                            })?;
                        }
                        plain.insert(variable.clone(), value.clone());
                    }
                    Resolved::Sensitive { stack, digest } => {
                        digests.insert(variable.clone(), digest.to_owned());
                        let output = reference.output.clone();
                        secret.insert(variable.clone(), SecretInput::Output { stack, output });
                    }
                    Resolved::Secret { stack, name } => {
                        let (digest, from) = if stack.instance.is_some() {
                            let from = SecretInput::Secret(name.to_owned());
                            (known(around.secrets, name)?, from)
                        } else {
                            let from = SecretInput::OfCluster(name.to_owned());
                            (known(around.cluster_secrets, name)?, from)
                        };
                        digests.insert(variable.clone(), digest);
                        secret.insert(variable.clone(), from);
                    }
                }
            }
        }
    }
    if let Some(name) = &around.storage.encryption {
        let digest = known(around.cluster_secrets, name)?;
        digests.insert(PASSPHRASE.to_owned(), digest);
        let from = SecretInput::OfCluster(name.clone());
        secret.insert(PASSPHRASE.to_owned(), from);
    }
    let mut all: BTreeMap<String, Vec<u8>> = files
        .iter()
        .map(|(path, bytes)| (path.clone(), bytes.to_vec()))
        .collect();
    if !plain.is_empty() {
        let text = serde_json::to_string_pretty(&Value::Object(plain)).unwrap_or_default();
        all.insert(
            format!("{directory}/{INPUTS_FILE}"),
            format!("{text}\n").into(),
        );
    }
    if let Some(lock) = &stack.lock {
        all.insert(format!("{directory}/{LOCK_FILE}"), lock.to_vec());
    }
    let mut root = Root {
        directory,
        files: all,
        secret,
        key,
        digest: String::new(),
        storage: around.storage.clone(),
        digests,
    };
    root.digest = root.sum();
    Ok(root)
}

impl Root {
    /// The text of [`BACKEND_FILE`]; `base` is the directory that a local path begins from.
    pub fn backend(&self, base: &str) -> String {
        self.storage.text(&self.key, base)
    }

    /// Whether its state is encrypted, which only OpenTofu can do.
    pub fn is_encrypted(&self) -> bool {
        self.storage.encryption.is_some()
    }

    /// The path of its lock file, from the fleet's root.
    pub fn lock_file(&self) -> String {
        format!("{}/{LOCK_FILE}", self.directory)
    }

    /// The same module with another lock file.
    pub fn set_lock(&mut self, lock: Vec<u8>) {
        self.files.insert(self.lock_file(), lock);
        self.digest = self.sum();
    }

    /// The lock file that it has.
    pub fn lock(&self) -> Option<&[u8]> {
        self.files.get(&self.lock_file()).map(Vec::as_slice)
    }

    /// Over every file, the back end as it is stated, and digests of secrets.
    fn sum(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        for (path, bytes) in &self.files {
            add(path.as_bytes());
            add(bytes);
        }
        add(self.backend("").as_bytes());
        for (name, digest) in &self.digests {
            add(name.as_bytes());
            add(digest.as_bytes());
        }
        format!("sha256:{:x}", hash.finalize())
    }
}

#[cfg(test)]
mod tests;
