//! The order of stacks: who reads whose outputs.

use std::collections::{BTreeMap, BTreeSet};

use crate::stack::{Address, Stack};

/// Which stack reads which others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    reads: BTreeMap<Address, BTreeSet<Address>>,
}

/// Stacks that wait for each other, each for the next, the last for the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle(pub Vec<Address>);

impl Graph {
    /// The graph of a fleet's stacks. References that lead nowhere are left out.
    pub fn new(stacks: &BTreeMap<Address, Stack>) -> Self {
        let reads = |stack: &Stack| {
            let address = &stack.address;
            let found = stack.references().filter_map(|(_, reference)| {
                reference.resolve(&address.cluster, address.instance.as_deref(), stacks)
            });
            found.collect()
        };
        Self {
            reads: stacks
                .iter()
                .map(|(address, stack)| (address.clone(), reads(stack)))
                .collect(),
        }
    }

    /// The stacks whose outputs one reads.
    pub fn reads(&self, address: &Address) -> impl Iterator<Item = &Address> {
        self.reads.get(address).into_iter().flatten()
    }

    /// Every stack and what it reads.
    pub fn iter(&self) -> impl Iterator<Item = (&Address, &BTreeSet<Address>)> {
        self.reads.iter()
    }

    /// The chosen stacks in levels: each reads only from levels before its own, or from stacks that were
    /// not chosen.
    ///
    /// # Errors
    ///
    /// Stacks that wait for each other.
    pub fn levels<'a>(
        &'a self,
        chosen: &BTreeSet<&'a Address>,
    ) -> Result<Vec<Vec<&'a Address>>, Cycle> {
        let mut waits: BTreeMap<&Address, usize> = BTreeMap::new();
        let mut readers: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
        // What was not chosen still orders what was, where it stands between.
        let behind = self.behind(chosen);
        for (address, reads) in &self.reads {
            if behind.contains(address) {
                waits.insert(address, reads.len());
                for read in reads {
                    readers.entry(read).or_default().push(address);
                }
            }
        }
        let mut ready: Vec<&Address> = waits
            .iter()
            .filter(|(_, count)| **count == 0)
            .map(|(address, _)| *address)
            .collect();
        let mut levels = Vec::new();
        let mut done = 0;
        while !ready.is_empty() {
            done += ready.len();
            let mut next = BTreeSet::new();
            for address in &ready {
                for reader in readers.get(address).into_iter().flatten() {
                    if let Some(count) = waits.get_mut(reader) {
                        *count -= 1;
                        if *count == 0 {
                            next.insert(*reader);
                        }
                    }
                }
            }
            ready.retain(|address| chosen.contains(address));
            if !ready.is_empty() {
                levels.push(ready);
            }
            ready = next.into_iter().collect();
        }
        if done == waits.len() {
            return Ok(levels);
        }
        let stuck = waits.iter().filter(|(_, count)| **count > 0);
        Err(self.cycle(&stuck.map(|(address, _)| *address).collect()))
    }

    /// The chosen stacks and everything that they read, directly or not.
    fn behind<'a>(&'a self, chosen: &BTreeSet<&'a Address>) -> BTreeSet<&'a Address> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&Address> = chosen.iter().copied().collect();
        while let Some(address) = open.pop() {
            if let Some((address, reads)) = self.reads.get_key_value(address)
                && found.insert(address)
            {
                open.extend(reads);
            }
        }
        found
    }

    /// A circle among stacks of which each waits for another one of them.
    fn cycle(&self, stuck: &BTreeSet<&Address>) -> Cycle {
        let mut way: Vec<&Address> = Vec::new();
        let mut at = stuck.first().copied();
        while let Some(address) = at {
            if let Some(begin) = way.iter().position(|seen| *seen == address) {
                let circle = way.split_off(begin);
                return Cycle(circle.into_iter().cloned().collect());
            }
            way.push(address);
            at = self.reads(address).find(|read| stuck.contains(read));
        }
        Cycle(way.into_iter().cloned().collect())
    }

    /// A circle, where there is one.
    pub fn find_cycle(&self) -> Option<Cycle> {
        self.levels(&self.reads.keys().collect()).err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(reads: &[(&str, &[&str])]) -> Graph {
        let address = |name: &&str| Address::of_cluster("c", name);
        Graph {
            reads: reads
                .iter()
                .map(|(name, reads)| (address(name), reads.iter().map(address).collect()))
                .collect(),
        }
    }

    fn shown(levels: &[Vec<&Address>]) -> String {
        let level = |level: &Vec<&Address>| {
            let names: Vec<&str> = level.iter().map(|one| one.stack.as_str()).collect();
            names.join(" ")
        };
        levels.iter().map(level).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn levels_follow_what_is_read() {
        let graph = graph(&[
            ("cluster", &["network"]),
            ("data", &["network"]),
            ("dns", &[]),
            ("network", &[]),
            ("uni", &["cluster", "data"]),
        ]);
        let all = graph.reads.keys().collect();
        assert_eq!(
            shown(&graph.levels(&all).unwrap()),
            "dns network | cluster data | uni"
        );
        // What stands between two chosen ones keeps their order.
        let some = graph
            .reads
            .keys()
            .filter(|one| ["network", "uni"].contains(&one.stack.as_str()));
        assert_eq!(
            shown(&graph.levels(&some.collect()).unwrap()),
            "network | uni"
        );
    }

    #[test]
    fn a_circle_is_named_without_those_who_only_wait_for_it() {
        let graph = graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"]), ("d", &[])]);
        let Cycle(circle) = graph.find_cycle().unwrap();
        assert_eq!(shown(&[circle.iter().collect()]), "b c");
        // It is in nobody's way who does not read from it.
        let alone = graph.reads.keys().filter(|one| one.stack == "d").collect();
        assert!(graph.levels(&alone).is_ok());
    }
}
