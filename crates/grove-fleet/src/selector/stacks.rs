//! Which stacks a command means.

use globset::{GlobBuilder, GlobMatcher};
use grove_stack::stack;

use super::{Label, Means, Pattern, SelectorError, label, pattern};
use crate::{Address, Fleet, near::nearest};

/// Stacks by owner and name: `cluster:stack`, `cluster/instance:stack`, with `*` in either. Without
/// `:stack` it is every stack of the owner, and of a cluster those of its instances, too.
#[derive(Clone, Debug, Default)]
pub struct StackSelector {
    patterns: Vec<StackPattern>,
    labels: Vec<Label>,
}

#[derive(Clone, Debug)]
struct StackPattern {
    written: String,
    owner: Pattern,
    stack: Option<GlobMatcher>,
}

impl StackSelector {
    /// Reads patterns and labels; without any, every stack is meant. A label narrows down to the stacks of
    /// instances that have it.
    pub fn parse<P, L>(patterns: &[P], labels: &[L]) -> Result<Self, SelectorError>
    where
        P: AsRef<str>,
        L: AsRef<str>,
    {
        let patterns = patterns.iter().map(|written| {
            let written = written.as_ref();
            let (owner, stack) = match written.split_once(':') {
                None => (written, None),
                Some((owner, stack)) => (owner, Some(stack)),
            };
            let stack = stack.map(|stack| {
                let glob = GlobBuilder::new(stack).literal_separator(true).build();
                let reason = match &glob {
                    Ok(_) if stack.is_empty() => Some("the stack's name is missing".to_owned()),
                    Ok(_) => None,
                    Err(error) => Some(error.kind().to_string()),
                };
                match (glob, reason) {
                    (Ok(glob), None) => Ok(glob.compile_matcher()),
                    (_, reason) => Err(SelectorError::Malformed {
                        written: written.to_owned(),
                        reason: reason.unwrap_or_default(),
                    }),
                }
            });
            Ok(StackPattern {
                written: written.to_owned(),
                owner: pattern(owner)?,
                stack: stack.transpose()?,
            })
        });
        let labels = labels.iter().map(|written| label(written.as_ref()));
        Ok(Self {
            patterns: patterns.collect::<Result<_, _>>()?,
            labels: labels.collect::<Result<_, _>>()?,
        })
    }

    /// The stacks that are meant, in the order of their addresses. Each pattern must select something.
    pub fn select<'a>(&self, fleet: &'a Fleet) -> Result<Vec<&'a stack::Address>, SelectorError> {
        for pattern in &self.patterns {
            if !fleet
                .stacks
                .keys()
                .any(|address| pattern.fits(address, fleet))
            {
                let addresses: Vec<String> =
                    fleet.stacks.keys().map(stack::Address::to_string).collect();
                let near = nearest(&pattern.written, addresses.iter().map(String::as_str));
                return Err(SelectorError::Unknown {
                    written: pattern.written.clone(),
                    what: "stack",
                    near: near.map(str::to_owned),
                });
            }
        }
        for label in &self.labels {
            label.check(fleet)?;
        }
        let has_labels = |address: &stack::Address| {
            self.labels.is_empty()
                || instance(address, fleet)
                    .is_some_and(|instance| self.labels.iter().all(|label| label.fits(instance)))
        };
        let selected = fleet.stacks.keys().filter(|address| {
            let is_meant = self.patterns.is_empty()
                || self
                    .patterns
                    .iter()
                    .any(|pattern| pattern.fits(address, fleet));
            is_meant && has_labels(address)
        });
        Ok(selected.collect())
    }
}

fn instance<'a>(address: &stack::Address, fleet: &'a Fleet) -> Option<&'a crate::model::Instance> {
    let name = address.instance.as_ref()?;
    fleet.instances.get(&Address::new(&address.cluster, name))
}

impl StackPattern {
    fn fits(&self, address: &stack::Address, fleet: &Fleet) -> bool {
        let is_owner = match (&self.owner.means, &address.instance) {
            (Means::Cluster(glob), owner) => {
                glob.is_match(&address.cluster) && (owner.is_none() || self.stack.is_none())
            }
            (Means::Address(glob), Some(name)) => {
                glob.is_match(format!("{}/{name}", address.cluster))
            }
            (Means::Address(_), None) => false,
            (Means::Ring(ring), _) => instance(address, fleet)
                .is_some_and(|instance| instance.ring.as_ref() == Some(ring)),
        };
        let is_named = self
            .stack
            .as_ref()
            .is_none_or(|glob| glob.is_match(&address.stack));
        is_owner && is_named
    }
}
