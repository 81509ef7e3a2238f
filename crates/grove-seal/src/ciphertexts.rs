//! `releases/<instance>/sealed.yaml`: today's sealed values of an instance, by name.
//!
//! One ciphertext serves every object of the instance, since its scope is the namespace. An entry
//! also says from which SOPS ciphertext it came, so that an unchanged value needs no key, and a
//! fingerprint of the value, by which the objects that hold it are named.

mod fingerprint;
mod form;
mod hybrid;
mod preview;
mod refresh;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use fingerprint::FingerprintKey;
pub use form::Form;
pub use refresh::{Opened, RefreshError, Refreshed, refresh};

/// The version of the format that this Grove writes, and the highest that it reads.
const VERSION: u32 = 1;

/// The sealed values of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ciphertexts {
    version: u32,
    /// The digest of the certificate that they are sealed to, as
    /// [`SealingKey::digest`](crate::keys::SealingKey::digest) gives it.
    pub certificate: String,
    /// The only namespace in which the controller opens them.
    pub namespace: String,
    /// By name.
    #[serde(default)]
    pub secrets: BTreeMap<String, Ciphertext>,
}

/// One sealed value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ciphertext {
    /// What stands under `encryptedData`: base64.
    pub ciphertext: String,
    /// 20 hexadecimal digits: equal for equal values of this name on this cluster.
    pub fingerprint: String,
    /// Of what characters the value is: enough to judge, without a key, whether it can be inserted
    /// at a place.
    pub form: Form,
    /// The digest of the SOPS ciphertext from which the value came.
    pub source: String,
}

/// Why `sealed.yaml` cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not as this or an older Grove writes it.
    #[error("the sealed values cannot be read: {0}")]
    Format(String),
    /// Written by a newer Grove.
    #[error("the sealed values have format {found}; this Grove reads up to {VERSION}")]
    Newer {
        /// The version that the file states.
        found: u64,
    },
}

impl Error {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Format(_) => {
                "someone changed the deploy branch by hand; `git log` of that path tells who"
                    .to_owned()
            }
            Self::Newer { .. } => "use a Grove at least as new as the one that wrote it".to_owned(),
        })
    }
}

impl Ciphertexts {
    /// No value yet.
    pub fn new(certificate: &str, namespace: &str) -> Self {
        Self {
            version: VERSION,
            certificate: certificate.to_owned(),
            namespace: namespace.to_owned(),
            secrets: BTreeMap::new(),
        }
    }

    /// Reads `sealed.yaml`.
    pub fn from_yaml(text: &str) -> Result<Self, Error> {
        let parsed = grove_yaml::parse(text.as_bytes(), grove_yaml::Limits::default());
        if let Some(problem) = parsed.problems.first() {
            return Err(Error::Format(problem.message.clone()));
        }
        let value = parsed.root.map(|node| node.to_json()).unwrap_or_default();
        match value.get("version").and_then(serde_json::Value::as_u64) {
            Some(found) if found > u64::from(VERSION) => return Err(Error::Newer { found }),
            _ => {}
        }
        serde_json::from_value(value).map_err(|error| Error::Format(error.to_string()))
    }

    /// Writes `sealed.yaml`; the same values give the same bytes.
    pub fn to_yaml(&self) -> String {
        // A struct of strings and maps always becomes a value.
        serde_json::to_value(self)
            .map(|value| grove_yaml::emit(&value))
            .unwrap_or_default()
    }
}
