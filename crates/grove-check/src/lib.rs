//! What is wrong with a fleet.
//!
//! [`check`] loads a [`Snapshot`] and lets every rule of [`rules::ALL`] look at it. Each rule is one
//! file under `rules/` with its documentation and an example that triggers it and no other. Rules name
//! places by keys or bytes; lines and columns are counted only for what was found.
//!
//! Everything here is a pure function of the snapshot and a [`Context`]: no file system, Git, network,
//! clock or terminal.

mod base;
mod certificates;
mod context;
mod example;
mod finding;
mod findings;
mod json;
mod leak;
mod mask;
mod names;
mod owned;
mod problems;
mod python;
pub mod reference;
mod rule;
pub mod rules;
#[cfg(test)]
mod tests;
mod text;
mod view;
mod words;

pub use context::{Context, Released, ReleasedDistribution, ReleasedInstance};
pub use finding::{Finding, Location, Severity};
pub use json::{Report, Summary};
pub use owned::{Owned, owned};
pub use rule::{Content, Example, Rule};
pub use text::text;

use std::collections::HashSet;

use findings::Findings;
use grove_fleet::{
    Fleet, Snapshot,
    load::{self, Loaded},
};
use rayon::prelude::*;
use view::View;

/// A fleet and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The fleet as far as it could be read; only to be rendered where [`Self::is_sound`].
    pub fleet: Fleet,
    /// Sorted by file, place and rule.
    pub findings: Vec<Finding>,
}

impl Checked {
    /// Whether no finding is an error.
    pub fn is_sound(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.severity != Severity::Error)
    }
}

/// Loads a fleet and lets every rule look at it.
pub fn check(snapshot: &Snapshot, context: &Context) -> Checked {
    let all = load::documents(snapshot);
    let Loaded { fleet, problems } = load::load(&all);
    let mut seen = HashSet::new();
    let documents: Vec<_> = all
        .files
        .values()
        .filter(|document| seen.insert(document.real.as_str()))
        .collect();
    let misfits = problems::all_misfits(&documents);
    let view = View {
        snapshot,
        all: &all,
        documents: &documents,
        fleet: &fleet,
        problems: &problems,
        misfits: &misfits,
        context,
    };
    let findings = rules::ALL
        .par_iter()
        .map(|rule| {
            let mut findings = Findings::new(rule.id, rule.severity, snapshot);
            (rule.check)(&view, &mut findings);
            findings.finish()
        })
        .collect();
    let findings = findings::sorted(findings);
    Checked { fleet, findings }
}
