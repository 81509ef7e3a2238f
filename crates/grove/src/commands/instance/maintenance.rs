//! `grove instance maintenance`.

use clap::ValueEnum;
use grove_operations::deploy::state;

use super::Change;
use crate::{error::Result, global::Global, output::Output};

/// Answer with a page and status 503 instead of the site, or end that.
///
/// Writes `state` to `instance.yaml`, commits and pushes that, and deploys it over what runs: nothing
/// else of the fleet is shipped, no Job runs, and a hold stays. What the page says, and who gets through
/// all the same, stands under `maintenance` in the fleet.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove instance maintenance on prod/uni --wait\n\
    \x20 grove instance maintenance off prod/uni")]
pub(super) struct Arguments {
    /// Begin or end it.
    switch: Switch,
    #[command(flatten)]
    change: Change,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Switch {
    /// Answer with the page.
    On,
    /// Serve again.
    Off,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let change = match arguments.switch {
        Switch::On => state::Change::Maintenance,
        Switch::Off => state::Change::Start,
    };
    super::carry_out(&arguments.change, change, global, output)
}
