//! Which stacks a request means.

use grove_fleet::{Fleet, selector::StackSelector};
use grove_stack::stack::Address;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Stacks by owner and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StackSelection {
    /// `cluster:stack`, `cluster/instance:stack` (with `*`), a cluster, an instance or `@ring`.
    pub selectors: Vec<String>,
    /// Only stacks of instances with this label, `KEY=VALUE`.
    pub labels: Vec<String>,
    /// Every stack of the fleet.
    pub all: bool,
}

impl StackSelection {
    /// The selected stacks, in the order of their addresses; all of them where nothing is said.
    pub fn select(&self, fleet: &Fleet) -> Result<Vec<Address>> {
        let selector = StackSelector::parse(&self.selectors, &self.labels)
            .map_err(|error| Error::usage(error.to_string()).hint(WRITTEN))?;
        let selected = selector.select(fleet).map_err(|error| {
            let mut made = Error::usage(error.to_string());
            made.hints.extend(error.hint());
            made
        })?;
        Ok(selected.into_iter().cloned().collect())
    }

    /// Refuses a selection in which nothing is said: an operation that writes asks this first.
    pub fn must_be_stated(&self) -> Result<()> {
        if self.selectors.is_empty() && self.labels.is_empty() && !self.all {
            return Err(Error::usage("this command writes, so it needs a selection")
                .hint(format!("{WRITTEN}; or say `--all`")));
        }
        Ok(())
    }
}

const WRITTEN: &str = "stacks are named `cluster:stack` and `cluster/instance:stack`";
