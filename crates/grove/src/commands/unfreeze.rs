//! `grove unfreeze`.

use super::freeze::Change;
use crate::{
    cli::Global,
    commands::selection::{Agreement, Selection},
    connecting::Reach,
    error::Result,
    output::Output,
    releasing::Remotes,
    workspace::Workspace,
};

/// End freezes before their time.
///
/// Argo CD then puts back what the release has.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove unfreeze prod/uni")]
pub(crate) struct Arguments {
    #[command(flatten)]
    agreement: Agreement,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    arguments.selection.must_be_stated()?;
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let instances = arguments.selection.select(&fleet)?;
    arguments.agreement.ask(&instances, output)?;
    let change = Change {
        workspace: &workspace,
        fleet: &fleet,
        remotes: &arguments.remotes,
        reach: &arguments.reach,
        freeze: None,
    };
    change.run(&instances, output)
}
