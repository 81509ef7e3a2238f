//! Which instances a request means.

use grove_fleet::{Fleet, model::Instance, selector::Selector};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Instances by name, ring or label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// `cluster/instance` (with `*`), `cluster`, or `@ring`.
    pub selectors: Vec<String>,
    /// Only instances with this label, `KEY=VALUE`; client, environment, group and ring are labels too.
    pub labels: Vec<String>,
    /// Every instance of the fleet.
    pub all: bool,
}

impl Selection {
    /// What one selector means.
    pub fn of(selector: &str) -> Self {
        Self {
            selectors: vec![selector.to_owned()],
            ..Self::default()
        }
    }

    /// Whether nothing is said, so that every instance is meant.
    pub fn is_everything(&self) -> bool {
        self.selectors.is_empty() && self.labels.is_empty()
    }

    /// Whether it names some instances one by one, and not many of them.
    pub fn names_few(&self) -> bool {
        let names_one = |selector: &String| selector.contains('/') && !selector.contains('*');
        !self.selectors.is_empty()
            && self.selectors.len() <= 5
            && self.selectors.iter().all(names_one)
    }

    /// The selected instances, in the order of their addresses; all of them where nothing is said.
    pub fn select<'a>(&self, fleet: &'a Fleet) -> Result<Vec<&'a Instance>> {
        let selector = Selector::parse(&self.selectors, &self.labels)
            .map_err(|error| Error::usage(error.to_string()))?;
        selector.select(fleet).map_err(|error| {
            let mut made = Error::usage(error.to_string());
            made.hints.extend(error.hint());
            made
        })
    }

    /// Refuses a selection in which nothing is said: an operation that writes asks this first.
    pub fn must_be_stated(&self) -> Result<()> {
        if self.is_everything() && !self.all {
            return Err(Error::usage("this command writes, so it needs a selection")
                .hint("name instances (`cluster/instance`), a cluster or a ring, or say `--all`"));
        }
        Ok(())
    }
}
