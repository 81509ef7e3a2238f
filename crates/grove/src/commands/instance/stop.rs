//! `grove instance stop`.

use grove_operations::deploy::state;

use super::Change;
use crate::{error::Result, global::Global, output::Output};

/// End all pods of instances; volumes, configuration and secrets stay.
///
/// Writes `state: stopped` to `instance.yaml`, commits and pushes that, and deploys it over what runs:
/// nothing else of the fleet is shipped, no Job runs, and a hold stays.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove instance stop prod/uni --wait\n\
    \x20 grove instance stop -l client=uni -m \"Contract ended\"")]
pub(super) struct Arguments {
    #[command(flatten)]
    change: Change,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    super::carry_out(&arguments.change, state::Change::Stop, global, output)
}
