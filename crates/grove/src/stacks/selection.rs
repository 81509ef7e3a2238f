//! Options that the commands of stacks share.

use std::path::PathBuf;

use clap_complete::ArgValueCandidates;
use grove_fleet::{Fleet, selector::StackSelector};
use grove_stack::stack::Address;

use crate::{
    commands::candidates,
    error::{CommandError, Result},
};

/// Stacks by owner and name.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct StackSelection {
    /// `cluster:stack`, `cluster/instance:stack` (with `*`), a cluster, an instance or `@ring`.
    #[arg(value_name = "SELECTOR", add = ArgValueCandidates::new(candidates::stacks))]
    pub(crate) selectors: Vec<String>,
    /// Only stacks of instances with this label.
    #[arg(short = 'l', long = "label", value_name = "KEY=VALUE")]
    pub(crate) labels: Vec<String>,
    /// Every stack of the fleet.
    #[arg(long, conflicts_with = "selectors")]
    pub(crate) all: bool,
}

impl StackSelection {
    /// The selected stacks, in the order of their addresses; all of them where nothing is said.
    pub(crate) fn select(&self, fleet: &Fleet) -> Result<Vec<Address>> {
        let selector = StackSelector::parse(&self.selectors, &self.labels)
            .map_err(|error| CommandError::usage(error.to_string()).hint(WRITTEN))?;
        let selected = selector.select(fleet).map_err(|error| {
            let mut command = CommandError::usage(error.to_string());
            command.hints.extend(error.hint());
            command
        })?;
        Ok(selected.into_iter().cloned().collect())
    }

    /// Refuses a selection in which nothing is said: a command that writes asks this first.
    pub(crate) fn must_be_stated(&self) -> Result<()> {
        if self.selectors.is_empty() && self.labels.is_empty() && !self.all {
            return Err(
                CommandError::usage("this command writes, so it needs a selection")
                    .hint(format!("{WRITTEN}; or say `--all`")),
            );
        }
        Ok(())
    }
}

const WRITTEN: &str = "stacks are named `cluster:stack` and `cluster/instance:stack`";

/// Which program runs.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Program {
    /// The program that plans and applies; default: `tofu`, else `terraform`.
    #[arg(long, value_name = "PROGRAM", env = "GROVE_TOFU")]
    pub(crate) program: Option<PathBuf>,
}

impl Program {
    /// For a command that runs none.
    pub(crate) fn none() -> Self {
        Self {
            program: Some(PathBuf::from("tofu")),
        }
    }
}
