//! Which instances a command means.

mod stacks;
#[cfg(test)]
mod tests;

pub use stacks::StackSelector;

use globset::{GlobBuilder, GlobMatcher};

use crate::{Address, Fleet, model::Instance, near::nearest};

/// Instances by address, cluster, ring and label.
///
/// Patterns add up, labels narrow down: what is selected fits at least one pattern, where there
/// are any, and every label.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    patterns: Vec<Pattern>,
    labels: Vec<Label>,
}

/// One pattern, as it was written and as what it means.
#[derive(Clone, Debug)]
struct Pattern {
    written: String,
    means: Means,
}

#[derive(Clone, Debug)]
enum Means {
    /// `@ring`.
    Ring(String),
    /// `cluster`: all of its instances.
    Cluster(GlobMatcher),
    /// `cluster/instance`.
    Address(GlobMatcher),
}

/// `key=value`.
#[derive(Clone, Debug)]
struct Label {
    key: String,
    value: String,
}

/// Why a selector means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// It is written in a way that has no meaning.
    #[error("`{written}` is not a selector: {reason}")]
    Malformed {
        /// As it was written.
        written: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing in the fleet is called so.
    #[error("`{written}` selects nothing: there is no such {what}")]
    Unknown {
        /// As it was written.
        written: String,
        /// What it would be: cluster, instance, ring, label or label value.
        what: &'static str,
        /// What is called almost so.
        near: Option<String>,
    },
}

impl SelectorError {
    /// What may have been meant, or how selectors are written.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Malformed { .. } => Some(
                "selectors are `cluster/instance` (with `*`), `cluster`, `@ring` and `-l key=value`"
                    .to_owned(),
            ),
            Self::Unknown { near, .. } => {
                near.as_ref().map(|near| format!("did you mean `{near}`?"))
            }
        }
    }
}

impl Selector {
    /// Reads patterns (`cluster/instance`, `cluster`, `@ring`) and labels (`key=value`); without
    /// any, every instance is meant.
    ///
    /// In the first two kinds of pattern `*` stands for any text without `/`, `?` for one
    /// character, `[ab]` for one of several and `{a,b}` for alternatives.
    pub fn parse<P, L>(patterns: &[P], labels: &[L]) -> Result<Self, SelectorError>
    where
        P: AsRef<str>,
        L: AsRef<str>,
    {
        let patterns = patterns.iter().map(|written| pattern(written.as_ref()));
        let labels = labels.iter().map(|written| label(written.as_ref()));
        Ok(Self {
            patterns: patterns.collect::<Result<_, _>>()?,
            labels: labels.collect::<Result<_, _>>()?,
        })
    }

    /// The instances that are meant, in the order of their addresses.
    ///
    /// Each pattern and label must be known: it selects something, or names a cluster or ring that
    /// is there and has no instance.
    pub fn select<'a>(&self, fleet: &'a Fleet) -> Result<Vec<&'a Instance>, SelectorError> {
        for pattern in &self.patterns {
            pattern.check(fleet)?;
        }
        for label in &self.labels {
            label.check(fleet)?;
        }
        let selected = fleet.instances.values().filter(|instance| {
            (self.patterns.is_empty() || self.patterns.iter().any(|one| one.fits(instance)))
                && self.labels.iter().all(|label| label.fits(instance))
        });
        Ok(selected.collect())
    }
}

impl Pattern {
    fn fits(&self, instance: &Instance) -> bool {
        match &self.means {
            Means::Ring(ring) => instance.ring.as_ref() == Some(ring),
            Means::Cluster(glob) => glob.is_match(&instance.address.cluster),
            Means::Address(glob) => glob.is_match(instance.address.to_string()),
        }
    }

    fn check(&self, fleet: &Fleet) -> Result<(), SelectorError> {
        let known = fleet.instances.values().any(|instance| self.fits(instance))
            || match &self.means {
                Means::Ring(ring) => fleet.rings.contains(ring),
                Means::Cluster(glob) => fleet.clusters.keys().any(|name| glob.is_match(name)),
                Means::Address(_) => false,
            };
        if known {
            return Ok(());
        }
        let addresses = || fleet.instances.keys().map(Address::to_string);
        let (what, near) = match &self.means {
            Means::Ring(ring) => (
                "ring",
                nearest(ring, fleet.rings.iter().map(String::as_str))
                    .map(|near| format!("@{near}")),
            ),
            Means::Cluster(_) => (
                "cluster",
                nearest(&self.written, fleet.clusters.keys().map(String::as_str))
                    .map(str::to_owned)
                    // An instance's name alone is the likeliest slip.
                    .or_else(|| {
                        let instance = |address: &&Address| address.instance == self.written;
                        fleet
                            .instances
                            .keys()
                            .find(instance)
                            .map(Address::to_string)
                    }),
            ),
            Means::Address(_) => {
                let addresses = addresses().collect::<Vec<_>>();
                let near = nearest(&self.written, addresses.iter().map(String::as_str));
                ("instance", near.map(str::to_owned))
            }
        };
        Err(SelectorError::Unknown {
            written: self.written.clone(),
            what,
            near,
        })
    }
}

impl Label {
    fn fits(&self, instance: &Instance) -> bool {
        values(instance).any(|(key, value)| key == self.key && value == self.value)
    }

    fn check(&self, fleet: &Fleet) -> Result<(), SelectorError> {
        let all = || fleet.instances.values().flat_map(values);
        if all().any(|(key, value)| key == self.key && value == self.value) {
            return Ok(());
        }
        let of_key = || all().filter(|(key, _)| *key == self.key);
        let (what, near) = if of_key().next().is_some() {
            let near = nearest(&self.value, of_key().map(|(_, value)| value));
            (
                "label value",
                near.map(|value| format!("{}={value}", self.key)),
            )
        } else {
            let near = nearest(&self.key, all().map(|(key, _)| key));
            ("label", near.map(|key| format!("{key}={}", self.value)))
        };
        Err(SelectorError::Unknown {
            written: format!("{}={}", self.key, self.value),
            what,
            near,
        })
    }
}

/// Every key and value that an instance can be selected by. A key of Grove's own cannot be taken
/// by a label of the operator's.
fn values(instance: &Instance) -> impl Iterator<Item = (&str, &str)> {
    const OWN: [&str; 4] = ["client", "environment", "group", "ring"];
    [
        ("client", instance.client.as_str()),
        ("environment", instance.environment.name()),
    ]
    .into_iter()
    .chain(instance.ring.iter().map(|ring| ("ring", ring.as_str())))
    .chain(
        instance
            .groups
            .iter()
            .map(|group| ("group", group.as_str())),
    )
    .chain(
        instance
            .labels
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .filter(|(key, _)| !OWN.contains(key)),
    )
}

fn pattern(written: &str) -> Result<Pattern, SelectorError> {
    let malformed = |reason: &str| SelectorError::Malformed {
        written: written.to_owned(),
        reason: reason.to_owned(),
    };
    let means = if let Some(ring) = written.strip_prefix('@') {
        if ring.is_empty() {
            return Err(malformed("the ring's name is missing"));
        }
        Means::Ring(ring.to_owned())
    } else {
        let parts = written.split('/').collect::<Vec<_>>();
        if parts.iter().any(|part| part.is_empty()) {
            return Err(malformed("a name is missing"));
        }
        let glob = GlobBuilder::new(written)
            .literal_separator(true)
            .build()
            .map_err(|error| malformed(&error.kind().to_string()))?
            .compile_matcher();
        match parts.len() {
            1 => Means::Cluster(glob),
            2 => Means::Address(glob),
            _ => return Err(malformed("it has more than one slash")),
        }
    };
    Ok(Pattern {
        written: written.to_owned(),
        means,
    })
}

fn label(written: &str) -> Result<Label, SelectorError> {
    match written.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok(Label {
            key: key.to_owned(),
            value: value.to_owned(),
        }),
        _ => Err(SelectorError::Malformed {
            written: written.to_owned(),
            reason: "a label is written `key=value`".to_owned(),
        }),
    }
}
