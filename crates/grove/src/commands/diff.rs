//! `grove diff`.

use std::collections::BTreeMap;

use grove_fleet::model::State;
use grove_release::{DeployBranch, compose, compose_without_jobs, diff};

use crate::{
    cli::Global,
    commands::selection::Selection,
    error::{Exit, Result},
    output::Output,
    pipeline::Pipeline,
    releasing::{self, Remotes},
    report,
    workspace::{Workspace, is_json},
};

/// Show what a deploy would change, object by object.
///
/// Compares the fleet as it is here with the running releases. Secrets are shown by name only, and
/// no key is needed. Without a selection, every instance is compared.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove diff\n\
    \x20 grove diff prod/uni --stat\n\
    \x20 grove diff @canary --exit-code")]
pub(crate) struct Arguments {
    /// Only count, show no text.
    #[arg(long)]
    stat: bool,
    /// Exit with 1 where there is a difference, for scripts.
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.sound(output)?;
    let instances = arguments.selection.select(&fleet)?;
    let pipeline = Pipeline::new(output, true)?;
    output.progress("rendering");
    let trees = pipeline.trees(&fleet, &instances, &fleet.deploy_remote)?;
    let mut branches: BTreeMap<&str, DeployBranch> = BTreeMap::new();
    let mut rows = Vec::new();
    let mut differs = false;
    for instance in instances {
        let cluster = instance.address.cluster.as_str();
        if !branches.contains_key(cluster) {
            output.progress(&format!("fetching the deploy branch of {cluster}"));
            branches.insert(
                cluster,
                arguments.remotes.open(&workspace, &fleet, cluster)?,
            );
        }
        let (Some(branch), Some(tree)) = (branches.get(cluster), trees.get(&instance.address))
        else {
            continue;
        };
        let view = branch.view()?;
        let name = &instance.address.instance;
        let before = view.objects(name)?;
        let previous = releasing::ciphertexts(&view, name)?;
        let sealed = releasing::preview(instance, tree, previous.as_ref())?;
        let objects = if instance.state == State::Stopped {
            compose_without_jobs(sealed, before.as_ref())
        } else {
            compose(sealed, before.as_ref())
        };
        let mut old = before.unwrap_or_default();
        let mut new = objects;
        // Both sets of files are one tree to whoever reads the difference.
        old.extend(view.apps(name)?);
        new.extend(tree.apps.clone());
        let diff = diff(&old, &new);
        output.progress_done();
        differs |= !diff.is_empty();
        if is_json(output) {
            rows.push(serde_json::json!({"instance": instance.address, "diff": diff}));
        } else if diff.is_empty() {
            output.note(&format!("{}: no difference", instance.address));
        } else {
            output.print(&format!(
                "{}: {}\n",
                instance.address,
                report::summary(&diff)
            ))?;
            if !arguments.stat {
                output.print(&report::text(&diff, output.colour()))?;
            }
        }
    }
    if is_json(output) {
        output.json(&serde_json::json!({"version": 1, "instances": rows}))?;
    }
    Ok(if differs && arguments.exit_code {
        Exit::No
    } else {
        Exit::Done
    })
}
