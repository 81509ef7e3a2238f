//! `grove show`.

use clap_complete::ArgValueCandidates;

use crate::{
    cli::Global,
    commands::{candidates, rollback},
    error::{CommandError, Exit, Result},
    output::Output,
    releasing::Remotes,
    workspace::{Workspace, is_json},
};

/// Show one release.
///
/// Prints the release's record: who released it, when, from which commit, with which distribution
/// and images.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove show prod/uni\n\
    \x20 grove show prod/uni@12 --objects")]
pub(crate) struct Arguments {
    /// The release, as `cluster/instance@N`; the running one without `@N`.
    #[arg(add = ArgValueCandidates::new(candidates::instances))]
    release: String,
    /// Print the release's objects, too; secrets are encrypted there.
    #[arg(long)]
    objects: bool,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let (name, number) = match arguments.release.split_once('@') {
        None => (arguments.release.as_str(), None),
        Some((name, number)) => {
            let number = number.parse().map_err(|_| {
                CommandError::usage(format!("`{number}` is not the number of a release"))
            })?;
            (name, Some(number))
        }
    };
    let address = rollback::address(name)?;
    // An instance that left the fleet still has its releases; only the cluster must be known.
    rollback::find_cluster(&fleet, &address.cluster)?;
    let branch = arguments
        .remotes
        .open(&workspace, &fleet, &address.cluster)?;
    let view = branch.view()?;
    let record = match number {
        Some(number) => view.record(&address.instance, number)?,
        None => view
            .latest(&address.instance)?
            .ok_or_else(|| CommandError::usage(format!("{address} was never released")))?,
    };
    let objects = if arguments.objects {
        Some(branch.objects_of(record.tree)?)
    } else {
        None
    };
    if is_json(output) {
        output.json(&serde_json::json!({"version": 1, "record": record, "objects": objects}))?;
        return Ok(Exit::Done);
    }
    output.print(&record.to_yaml())?;
    for (name, object) in objects.into_iter().flatten() {
        output.print(&format!("---\n# {name}\n{}", grove_yaml::emit(&object)))?;
    }
    Ok(Exit::Done)
}
