//! `grove data remove`.

use clap_complete::ArgValueCandidates;
use grove_fleet::{Address, model::State};

use super::job::{self, Action, Patience};
use crate::{
    cli::Global,
    commands::{candidates, selection::Selection},
    connecting::Reach,
    error::{CommandError, Result},
    output::Output,
    releasing::Remotes,
    workspace::Workspace,
};

/// Remove the databases, users and buckets of one instance, with all that is in them.
///
/// Only what Grove made: a database that was adopted stays, and its user goes. The instance has to be
/// stopped, or never to have run. When it is done it is verified that nothing is left.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove data remove prod/old --confirm prod/old")]
pub(crate) struct Arguments {
    /// Which instance: `cluster/instance`.
    #[arg(add = ArgValueCandidates::new(candidates::selectors))]
    instance: String,
    /// The instance's name once more: what is removed cannot be brought back.
    #[arg(long, value_name = "INSTANCE")]
    confirm: Option<String>,
    #[command(flatten)]
    patience: Patience,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.sound(output)?;
    let selection = Selection {
        selectors: vec![arguments.instance.clone()],
        ..Selection::default()
    };
    let instances = selection.select(&fleet)?;
    let [instance] = instances.as_slice() else {
        return Err(CommandError::usage(
            "this removes the data of one instance at a time",
        ));
    };
    let address: &Address = &instance.address;
    if arguments.confirm.as_deref() != Some(&address.to_string()) {
        let what = job::summary(instance);
        if what.is_empty() {
            return Err(CommandError::refused(format!(
                "{address} has nothing that Grove made outside of its namespace"
            )));
        }
        return Err(CommandError::refused(format!(
            "this removes {} for good, with all that is in it",
            what.join(", ")
        ))
        .hint(format!("if that is meant, say `--confirm {address}`")));
    }
    if instance.state != State::Stopped {
        let branch = arguments
            .remotes
            .open(&workspace, &fleet, &address.cluster)?;
        if branch.view()?.latest(&address.instance)?.is_some() {
            return Err(
                CommandError::refused(format!("{address} runs on this data"))
                    .hint(format!("`grove instance stop {address}` first")),
            );
        }
    }
    job::run(
        Action::Remove,
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
