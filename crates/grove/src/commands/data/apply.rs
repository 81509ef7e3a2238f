//! `grove data apply`.

use super::job::{self, Action, Patience};
use crate::{
    cli::Global,
    commands::selection::{Agreement, Selection},
    connecting::Reach,
    error::Result,
    output::Output,
    releasing::Remotes,
    workspace::Workspace,
};

/// Make what instances need on their servers, and verify it with their own credentials.
///
/// Databases and users that are there already stay, passwords become those of the fleet, and a user whom a
/// rotation has retired goes. A database with content whose user is not there is refused: it may be
/// somebody else's.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove data apply prod/uni\n\
    \x20 grove data apply prod --expect 12")]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    agreement: Agreement,
    #[command(flatten)]
    patience: Patience,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    arguments.selection.must_be_stated()?;
    let workspace = Workspace::open(global)?;
    let fleet = workspace.sound(output)?;
    let instances = arguments.selection.select(&fleet)?;
    arguments.agreement.ask(&instances, output)?;
    job::run(
        Action::Apply,
        &job::Surroundings {
            workspace: &workspace,
            fleet: &fleet,
            reach: &arguments.reach,
            remotes: Some(&arguments.remotes),
            patience: &arguments.patience,
            output,
        },
        &instances,
    )
}
