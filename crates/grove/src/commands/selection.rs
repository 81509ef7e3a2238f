//! Which instances a command means.

use clap_complete::ArgValueCandidates;
use grove_fleet::{Fleet, model::Instance, selector::Selector};

use crate::{
    commands::candidates,
    error::{CommandError, Result},
    output::{Output, confirm},
};

/// Instances by name, ring or label.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct Selection {
    /// `cluster/instance` (with `*`), `cluster`, or `@ring`.
    #[arg(value_name = "SELECTOR", add = ArgValueCandidates::new(candidates::selectors))]
    pub(crate) selectors: Vec<String>,
    /// Only instances with this label; client, environment, group and ring are labels too.
    #[arg(short = 'l', long = "label", value_name = "KEY=VALUE")]
    pub(crate) labels: Vec<String>,
    /// Every instance of the fleet.
    #[arg(long, conflicts_with = "selectors")]
    pub(crate) all: bool,
}

impl Selection {
    /// What one selector means.
    pub(crate) fn of(selector: &str) -> Self {
        Self {
            selectors: vec![selector.to_owned()],
            ..Self::default()
        }
    }

    /// The selected instances, in the order of their addresses; all of them where nothing is said.
    pub(crate) fn select<'a>(&self, fleet: &'a Fleet) -> Result<Vec<&'a Instance>> {
        let selector = Selector::parse(&self.selectors, &self.labels)
            .map_err(|error| CommandError::usage(error.to_string()))?;
        selector.select(fleet).map_err(|error| {
            let mut command = CommandError::usage(error.to_string());
            command.hints.extend(error.hint());
            command
        })
    }

    /// Refuses a selection in which nothing is said: a command that writes asks this first.
    pub(crate) fn must_be_stated(&self) -> Result<()> {
        if self.selectors.is_empty() && self.labels.is_empty() && !self.all {
            return Err(
                CommandError::usage("this command writes, so it needs a selection").hint(
                    "name instances (`cluster/instance`), a cluster or a ring, or say `--all`",
                ),
            );
        }
        Ok(())
    }
}

/// More instances than this are asked about first.
const MANY: usize = 5;

/// Agreement to touch many instances at once.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct Agreement {
    /// How many instances are expected to be selected; another number is refused, and no question
    /// is asked.
    #[arg(long, value_name = "N")]
    pub(crate) expect: Option<usize>,
}

impl Agreement {
    /// Refuses another number of instances than was expected, and asks above a few.
    pub(crate) fn ask(&self, instances: &[&Instance], output: &Output) -> Result<()> {
        let count = instances.len();
        match self.expect {
            Some(expected) if expected != count => Err(CommandError::refused(format!(
                "{count} instances are selected, {expected} were expected"
            ))
            .hint("check the selection with `grove diff`")),
            Some(_) => Ok(()),
            None if count <= MANY => Ok(()),
            None => {
                output.progress_done();
                output.warn(&format!("this touches {count} instances:"));
                for instance in instances {
                    output.note(&format!("  {}", instance.address));
                }
                if confirm("Go on?") {
                    return Ok(());
                }
                Err(CommandError::refused(format!(
                    "{count} instances are selected and nobody agreed"
                ))
                .hint(format!("in a script, say `--expect {count}`")))
            }
        }
    }
}
