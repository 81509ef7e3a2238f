//! `grove unfreeze`.

use grove_operations::release::freeze::Change;

use super::freeze;
use crate::{
    error::Result,
    global::Global,
    options::{Branches, Instances, Places, Reach},
    output::Output,
};

/// End freezes before their time.
///
/// Argo CD then puts back what the release has.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove unfreeze prod/uni")]
pub(crate) struct Arguments {
    #[command(flatten)]
    instances: Instances,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    branches: Branches,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let places: [&dyn Places; 2] = [&arguments.branches, &arguments.reach];
    freeze::carry_out(
        Change::Unfreeze,
        &arguments.instances,
        &places,
        global,
        output,
    )
}
