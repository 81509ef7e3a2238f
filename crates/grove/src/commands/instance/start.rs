//! `grove instance start`.

use grove_operations::deploy::state;

use super::Change;
use crate::{error::Result, global::Global, output::Output};

/// Let instances serve again that were stopped.
///
/// Writes `state: active` to `instance.yaml`, commits and pushes that, and deploys it over what ran:
/// the release that was stopped comes back, and nothing that was merged since.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n\
    \x20 grove instance start prod/uni --wait")]
pub(super) struct Arguments {
    #[command(flatten)]
    change: Change,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    super::carry_out(&arguments.change, state::Change::Start, global, output)
}
