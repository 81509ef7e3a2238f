//! What rules see of a fleet, and how they name places in it.

use std::collections::BTreeMap;

use grove_fleet::{
    Address, Fleet, Snapshot,
    documents::{Document, Documents},
    layer::{self, Merged},
    layout::{self, Kind},
    load::{DataProblem, SOPS},
    model::Instance,
    shape::Misfit,
};
use grove_stack::stack;
use grove_yaml::{Entry, Node, Span, Value};

use crate::{Context, findings::Place};

/// A fleet as rules see it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    /// The files.
    pub(crate) snapshot: &'a Snapshot,
    /// The files that the layout knows, parsed; by path, links followed.
    pub(crate) all: &'a Documents,
    /// The same files, each once: not again under the names that links give it.
    pub(crate) documents: &'a [&'a Document],
    /// What they say together.
    pub(crate) fleet: &'a Fleet,
    /// What is wrong with `data` of instances.
    pub(crate) problems: &'a BTreeMap<Address, Vec<DataProblem>>,
    /// What does not fit the tables of keys, with its file.
    pub(crate) misfits: &'a [(&'a str, Misfit)],
    /// What lies outside the snapshot.
    pub(crate) context: &'a Context,
}

impl<'a> View<'a> {
    /// The tree of each YAML file that has one.
    pub(crate) fn roots(self) -> impl Iterator<Item = (&'a str, &'a Node)> {
        self.documents
            .iter()
            .filter_map(|document| Some((document.real.as_str(), document.root.as_ref()?)))
    }

    /// The tree of the file at `path`.
    pub(crate) fn root(self, path: &str) -> Option<&'a Node> {
        self.all.root(path)
    }

    /// What is wrong with `data` of an instance.
    pub(crate) fn data_problems(self, instance: &Instance) -> &'a [DataProblem] {
        let problems = self.problems.get(&instance.address);
        problems.map_or(&[], Vec::as_slice)
    }

    /// Whether there is a file at `path` that could not be read to its end.
    pub(crate) fn has_problems(self, path: &str) -> bool {
        self.all
            .get(path)
            .is_some_and(|document| !document.problems.is_empty())
    }

    /// Names of all groups.
    pub(crate) fn groups(self) -> impl Iterator<Item = &'a str> {
        self.all
            .files
            .values()
            .filter_map(|document| match &document.kind {
                Kind::Group(name) => Some(name.as_str()),
                _ => None,
            })
    }

    /// Whether any layer of an instance gives it this value.
    pub(crate) fn is_stated(self, instance: &Instance, route: &[&str]) -> bool {
        layer::merge(self.all, &instance.address).is_some_and(|merged| merged.at(route).is_some())
    }

    /// The value at `route` of an instance, in the layer that gave it.
    pub(crate) fn stated(self, instance: &Instance, route: &[&str]) -> Place<'a> {
        self.layered(instance, route, |merged| {
            if merged.is_map() {
                merged.span()
            } else {
                merged.node.span
            }
        })
    }

    /// The last key of `route` of an instance, in the layer that gave it.
    pub(crate) fn stated_key(self, instance: &Instance, route: &[&str]) -> Place<'a> {
        self.layered(instance, route, Merged::span)
    }

    fn layered(
        self,
        instance: &Instance,
        route: &[&str],
        span: fn(&Merged<'a>) -> Span,
    ) -> Place<'a> {
        let merged = layer::merge(self.all, &instance.address);
        match merged.as_ref().and_then(|merged| merged.at(route)) {
            Some(found) => Place::bytes(found.document.real.as_str(), span(found)),
            None => self.value(&layout::instance(&instance.address), route),
        }
    }

    /// The value at `route` in the file at `path`, or as much of the way there as exists.
    pub(crate) fn value(self, path: &str, route: &[&str]) -> Place<'a> {
        self.find(path, route, |_, value| value)
    }

    /// The last key of `route` in the file at `path`, or as much of the way there as exists.
    pub(crate) fn key(self, path: &str, route: &[&str]) -> Place<'a> {
        self.find(path, route, Option::unwrap_or)
    }

    /// The value at `route` of a stack's entry in `stacks`; its directory where it has no entry.
    pub(crate) fn stack(self, address: &stack::Address, route: &[&str]) -> Place<'a> {
        let whole: Vec<&str> = ["stacks", &address.stack]
            .into_iter()
            .chain(route.iter().copied())
            .collect();
        let Some(name) = &address.instance else {
            return self.value(&layout::cluster(&address.cluster), &whole);
        };
        let address = Address::new(&address.cluster, name);
        match self.fleet.instances.get(&address) {
            Some(instance) => self.stated(instance, &whole),
            None => self.value(&layout::instance(&address), &whole),
        }
    }

    /// Every entry of `stacks`, of clusters and of instances, with its key.
    pub(crate) fn stated_stacks(self) -> Vec<(stack::Address, Place<'a>)> {
        let mut found = Vec::new();
        for name in self.fleet.clusters.keys() {
            let Some(document) = self.all.get(&layout::cluster(name)) else {
                continue;
            };
            let stacks = document.root.as_ref().and_then(|root| root.get("stacks"));
            for entry in stacks.into_iter().flat_map(Node::entries) {
                let place = Place::bytes(document.real.as_str(), entry.key_span);
                found.push((stack::Address::of_cluster(name, &entry.key), place));
            }
        }
        for (address, instance) in &self.fleet.instances {
            let merged = layer::merge(self.all, address);
            let stacks = merged.as_ref().and_then(|merged| merged.get("stacks"));
            for (name, _) in stacks.into_iter().flat_map(Merged::entries) {
                let place = self.stated_key(instance, &["stacks", name]);
                let stack = stack::Address::of_instance(&address.cluster, &address.instance, name);
                found.push((stack, place));
            }
        }
        found
    }

    fn find(self, path: &str, route: &[&str], choose: fn(Option<Span>, Span) -> Span) -> Place<'a> {
        let Some(document) = self.all.get(path) else {
            return Place::file(path.to_owned());
        };
        let mut place = Place::file(document.real.as_str());
        let Some(mut node) = document.root.as_ref() else {
            return place;
        };
        for step in route {
            let below = if let Value::List(nodes) = &node.value {
                let number = step.parse::<usize>().ok();
                number.and_then(|number| Some((None, nodes.get(number)?)))
            } else {
                node.entry(step)
                    .map(|entry| (Some(entry.key_span), &entry.value))
            };
            let Some((key, value)) = below else { break };
            node = value;
            // A map or list as a whole says less than its key.
            let shown = match node.value {
                Value::Map(_) | Value::List(_) | Value::Null => key.unwrap_or(node.span),
                _ => choose(key, node.span),
            };
            place.span = Some(shown);
        }
        place
    }
}

/// The entries of a secrets file that instances may use.
pub(crate) fn secret_entries(document: &Document) -> impl Iterator<Item = &Entry> {
    let map = match &document.kind {
        Kind::GroupSecrets(_) | Kind::InstanceSecrets(_) => document.root.as_ref(),
        Kind::ClusterSecrets(_) => document
            .root
            .as_ref()
            .and_then(|root| root.get("instances")),
        _ => None,
    };
    map.into_iter()
        .flat_map(Node::entries)
        .filter(|entry| entry.key != SOPS)
}
