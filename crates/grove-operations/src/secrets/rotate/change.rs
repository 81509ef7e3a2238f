//! What becomes of one instance's file, by name: values are made last.

use std::collections::BTreeSet;

use grove_fleet::{Address, layout, model::Instance, rotation::Pair};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Kind, Result};

/// What was written for one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// `cluster/instance`.
    pub instance: String,
    /// The names of the secrets that have another value.
    pub written: BTreeSet<String>,
    /// What is to be done then, a sentence each.
    pub next: BTreeSet<String>,
}

/// What becomes of one instance's file.
pub(super) struct Change {
    /// The instance.
    pub(super) address: Address,
    /// Secrets that Tutor makes anew.
    pub(super) made: BTreeSet<String>,
    /// Secrets that follow from those.
    pub(super) followers: BTreeSet<String>,
    /// Users beside whom a second one is made.
    pub(super) doubled: Vec<Pair>,
    /// Users whose name becomes a secret, and stays what it is.
    pub(super) named: Vec<Pair>,
    /// Users of before who are taken away.
    pub(super) ended: Vec<Pair>,
    /// Secrets that go.
    pub(super) gone: Vec<String>,
    /// What is to be done then.
    pub(super) next: BTreeSet<String>,
}

impl Change {
    /// None yet.
    pub(super) fn of(instance: &Instance) -> Self {
        Self {
            address: instance.address.clone(),
            made: BTreeSet::new(),
            followers: BTreeSet::new(),
            doubled: Vec::new(),
            named: Vec::new(),
            ended: Vec::new(),
            gone: Vec::new(),
            next: BTreeSet::new(),
        }
    }

    /// The names of the secrets that get a value.
    pub(super) fn written(&self) -> BTreeSet<String> {
        let doubled = self.doubled.iter();
        doubled
            .flat_map(|pair| [&pair.user, &pair.password, &pair.previous])
            .chain(self.named.iter().map(|pair| &pair.user))
            .chain(self.ended.iter().map(|pair| &pair.retired))
            .chain(&self.made)
            .chain(&self.followers)
            .cloned()
            .collect()
    }

    /// Whether nothing is to be done.
    pub(super) fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.written().is_empty()
    }

    /// The same as an outcome says it.
    pub(super) fn row(&self) -> Row {
        Row {
            instance: self.address.to_string(),
            written: self.written(),
            next: self.next.clone(),
        }
    }
}

/// Refuses a secret that other instances read as well, or that is not there.
pub(super) fn own(instance: &Instance, name: &str) -> Result<()> {
    let address = &instance.address;
    let Some(reference) = instance.secrets.get(name) else {
        return Err(
            Error::new(Kind::No, format!("{address} has no secret {name}")).hint(format!(
                "`grove secret rotate {address} --plan` shows those that it has"
            )),
        );
    };
    if reference.file == layout::instance_secrets(address) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{name} stands in `{}`, which others read as well",
        reference.file
    ))
    .hint("`grove secret set` changes it there, for all of them"))
}
