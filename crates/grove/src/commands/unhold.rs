//! `grove unhold`.

use crate::{
    cli::Global,
    commands::{
        hold,
        selection::{Agreement, Selection},
    },
    error::Result,
    output::Output,
    releasing::Remotes,
    workspace::Workspace,
};

/// Let held instances follow the fleet again.
///
/// The next deploy brings these instances what the fleet says.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n\
    \x20 grove unhold prod/uni")]
pub(crate) struct Arguments {
    #[command(flatten)]
    agreement: Agreement,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    arguments.selection.must_be_stated()?;
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let instances = arguments.selection.select(&fleet)?;
    arguments.agreement.ask(&instances, output)?;
    hold::change(
        &workspace,
        &fleet,
        &instances,
        &arguments.remotes,
        "End holds",
        |view, instance, changes| {
            let name = &instance.address.instance;
            Ok(match view.hold(name)? {
                None => "is not held".to_owned(),
                Some(hold) => {
                    changes.unhold(name);
                    format!("no longer held ({})", hold.reason)
                }
            })
        },
        output,
    )
}
