//! `grove data verify`.

use super::job::{self, Action, Patience};
use crate::{
    cli::Global, commands::selection::Selection, connecting::Reach, error::Result, output::Output,
    workspace::Workspace,
};

/// Look whether instances get in with their own credentials; changes nothing.
///
/// Servers that somebody else runs are looked at as well. A bucket is written to and read from: one small
/// file, which goes again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove data verify prod/uni\n\
    \x20 grove data verify --all")]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    patience: Patience,
    #[command(flatten)]
    reach: Reach,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    arguments.selection.must_be_stated()?;
    let workspace = Workspace::open(global)?;
    let fleet = workspace.sound(output)?;
    let instances = arguments.selection.select(&fleet)?;
    job::run(
        Action::Verify,
        &job::Surroundings {
            workspace: &workspace,
            fleet: &fleet,
            reach: &arguments.reach,
            remotes: None,
            patience: &arguments.patience,
            output,
        },
        &instances,
    )
}
