//! `grove unhold`.

use grove_operations::release::hold::Change;

use super::hold;
use crate::{
    error::Result,
    global::Global,
    options::{Branches, Instances},
    output::Output,
};

/// Let held instances follow the fleet again.
///
/// The next deploy brings these instances what the fleet says.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n\
    \x20 grove unhold prod/uni")]
pub(crate) struct Arguments {
    #[command(flatten)]
    instances: Instances,
    #[command(flatten)]
    branches: Branches,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    hold::carry_out(
        Change::Unhold,
        &arguments.instances,
        &arguments.branches,
        global,
        output,
    )
}
