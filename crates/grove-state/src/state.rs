//! A state file of version 4
//! (<https://github.com/opentofu/opentofu/blob/v1.10.10/internal/states/statefile/version4.go>).
//!
//! What is not needed here stays the text that it was: attributes are never decoded, so no number loses
//! a digit, and keys that a later version adds are carried along.

mod read;
mod write;

use std::{borrow::Cow, cmp::Ordering};

use serde_json::value::RawValue;

use crate::{Address, Error, Key, Module, ResourceAddress};

/// Keys and their values, as they stand in the file.
pub(crate) type Fields<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// A state.
#[derive(Clone, Debug)]
pub struct State<'a> {
    /// The version of the program that wrote it.
    pub terraform_version: Cow<'a, str>,
    /// Counts up with each write.
    pub serial: u64,
    /// Names the history that it belongs to.
    pub lineage: Cow<'a, str>,
    /// The root module's outputs, by name.
    pub outputs: Fields<'a>,
    /// Resources.
    pub resources: Vec<Resource<'a>>,
    /// What else the file has, but for `check_results`, which every plan makes anew.
    pub(crate) fields: Fields<'a>,
}

/// Whether objects are managed or only read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Managed.
    Managed,
    /// Read.
    Data,
}

/// One resource block, and its objects.
#[derive(Clone, Debug)]
pub struct Resource<'a> {
    /// Its module.
    pub module: Module,
    /// Whether it is managed.
    pub mode: Mode,
    /// Its type.
    pub kind: Cow<'a, str>,
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its objects.
    pub instances: Vec<Instance<'a>>,
    /// Its provider, and what else it has.
    pub(crate) fields: Fields<'a>,
}

/// One object.
#[derive(Clone, Debug)]
pub struct Instance<'a> {
    /// Its key.
    pub key: Option<Key>,
    /// Whether it is to be replaced.
    pub is_tainted: bool,
    /// The mark of an object that was replaced and is not destroyed yet.
    pub deposed: Option<Cow<'a, str>>,
    /// What it depends on, without keys.
    pub dependencies: Vec<Cow<'a, str>>,
    /// Attributes and everything else, as they stand in the file.
    pub(crate) fields: Fields<'a>,
}

impl<'a> State<'a> {
    /// Reads a state file.
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        read::state(text)
    }

    /// Every object, with its resource.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (&Resource<'a>, &Instance<'a>)> {
        self.resources.iter().flat_map(|resource| {
            let instances = resource.instances.iter();
            instances.map(move |instance| (resource, instance))
        })
    }

    /// How many objects it has.
    pub fn len(&self) -> usize {
        self.resources
            .iter()
            .map(|resource| resource.instances.len())
            .sum()
    }

    /// Whether it has no object.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file's text: compact JSON and a line break, as OpenTofu writes it.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    /// Adds the file's text: for one text after another in the same memory.
    pub fn write(&self, into: &mut String) {
        write::state(self, into);
    }

    /// The same history, one serial on, without objects and with `outputs` alone: what is left once every
    /// object has gone elsewhere.
    #[must_use]
    pub fn without_objects(&self, outputs: &[String]) -> Self {
        let is_kept = |name: &str| outputs.iter().any(|output| output == name);
        Self {
            serial: self.serial + 1,
            outputs: self
                .outputs
                .iter()
                .filter(|(name, _)| is_kept(name))
                .cloned()
                .collect(),
            resources: Vec::new(),
            ..self.clone()
        }
    }

    /// The same history, one serial on, with what a split left in it: the part [`crate::STAYS`].
    #[must_use]
    pub fn with_what_stays(&self, stays: Self, outputs: &[String]) -> Self {
        let mut left = self.without_objects(outputs);
        left.outputs.extend(stays.outputs);
        left.outputs.sort_by(|a, b| a.0.cmp(&b.0));
        left.resources = stays.resources;
        left
    }

    /// The address that two of its objects have, where two have one; of a state that is in order.
    pub(crate) fn doubled(&self) -> Option<Address> {
        self.resources.iter().find_map(|resource| {
            let mut pairs = resource.instances.windows(2);
            let pair = pairs.find(|pair| {
                (&pair[0].key, &pair[0].deposed) == (&pair[1].key, &pair[1].deposed)
            })?;
            Some(resource.address_of(&pair[0]))
        })
    }

    /// Puts resources and objects in the order that OpenTofu writes them in.
    pub(crate) fn sort(&mut self) {
        self.resources.sort_by_cached_key(Resource::order);
        for resource in &mut self.resources {
            resource.instances.sort_by(Instance::order);
        }
    }
}

impl<'a> Resource<'a> {
    /// Where it stands.
    pub fn address(&self) -> ResourceAddress {
        ResourceAddress {
            module: self.module.clone(),
            is_data: self.mode == Mode::Data,
            kind: self.kind.clone().into_owned(),
            name: self.name.clone().into_owned(),
        }
    }

    /// Where one of its objects stands.
    pub fn address_of(&self, instance: &Instance<'a>) -> Address {
        Address {
            resource: self.address(),
            key: instance.key.clone(),
        }
    }

    /// What it is sorted by.
    fn order(&self) -> (String, Mode, Cow<'a, str>, Cow<'a, str>) {
        let module = self.module.to_string();
        (module, self.mode, self.kind.clone(), self.name.clone())
    }
}

impl Instance<'_> {
    fn order(&self, other: &Self) -> Ordering {
        (&self.key, &self.deposed).cmp(&(&other.key, &other.deposed))
    }

    /// The value of one of its fields.
    pub(crate) fn field(&self, name: &str) -> Option<&RawValue> {
        let mut fields = self.fields.iter();
        fields.find(|(key, _)| key == name).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests;
