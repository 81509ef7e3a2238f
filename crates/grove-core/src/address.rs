//! The name of an instance in a fleet.

use std::fmt;

use serde::{Deserialize, Serialize, de::Error as _};

/// `cluster/instance`, the one name of an instance in a fleet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The cluster's name.
    pub cluster: String,
    /// The instance's name, unique in its cluster.
    pub instance: String,
}

impl Address {
    /// The address of `instance` on `cluster`.
    pub fn new(cluster: &str, instance: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            instance: instance.to_owned(),
        }
    }

    /// `<cluster>-<instance>`: the name of its Argo CD Application and project, unique in a hub.
    pub fn application(&self) -> String {
        format!("{}-{}", self.cluster, self.instance)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.cluster, self.instance)
    }
}

impl Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parts = text.split_once('/');
        parts
            .map(|(cluster, instance)| Self::new(cluster, instance))
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not `cluster/instance`")))
    }
}
