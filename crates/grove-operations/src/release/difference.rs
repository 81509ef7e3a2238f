//! Differences between the fleet and the releases that run, object by object.
//!
//! Secrets are named and never shown, and no key is needed.
//!
//! ```
//! # let mut world = grove_example::World::deployed();
//! # world.site("alpha/uni").value = 2;
//! # let around = &world.around();
//! use grove_operations::release::difference;
//!
//! for row in difference::read(around, &difference::Request::default())?.instances {
//!     println!("{}: {}", row.instance, difference::summary(&row.diff));
//! }
//! # Ok::<(), grove_operations::Error>(())
//! ```

use std::{collections::BTreeMap, fmt::Write as _};

use grove_fleet::{
    Address, Fleet,
    model::{Instance, State},
};
use grove_release::{DeployBranch, Diff, compose, compose_without_jobs, diff};
use grove_render::Tree;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{remotes, seal};
use crate::{
    Around, Doing, Error, Result,
    fleet::{selection::Selection, workspace::Workspace},
    render::pipeline::Pipeline,
    request::by_cluster,
    text::count,
};

/// Compares what the fleet says with what runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Which instances; all of them where nothing is said.
    pub selection: Selection,
}

/// What a deploy would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Of each instance, in the order of their addresses.
    pub instances: Vec<Row>,
    /// Why those after them are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Error>,
}

/// What a deploy would change of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// `cluster/instance`.
    pub instance: String,
    /// What would change.
    pub diff: Diff,
}

/// Renders the fleet and fetches the deploy branches. Findings of severity error are refused.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.sound()?;
    let instances = request.selection.select(&fleet)?;
    let pipeline = Pipeline::new(around, true)?;
    around.doing(Doing::Rendering);
    let mut trees = pipeline.trees(&fleet, &instances, &fleet.deploy_remote)?;
    let mut rows = Vec::new();
    let compared = compare_all(&workspace, &fleet, &instances, &mut trees, &mut rows);
    Ok(Outcome {
        instances: rows,
        failure: compared.err(),
    })
}

fn compare_all(
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    instances: &[&Instance],
    trees: &mut BTreeMap<Address, Tree>,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let around = workspace.around;
    for (cluster, instances) in by_cluster(instances) {
        around.doing(Doing::Fetching { cluster });
        let branch = remotes::open(workspace, fleet, cluster)?;
        around.progress_done();
        for instance in instances {
            if let Some(tree) = trees.remove(&instance.address) {
                rows.push(Row {
                    instance: instance.address.to_string(),
                    diff: compare(&branch, instance, tree)?,
                });
            }
        }
    }
    Ok(())
}

/// What a deploy of a tree would change.
fn compare(branch: &DeployBranch, instance: &Instance, tree: Tree) -> Result<Diff> {
    let name = &instance.address.instance;
    let view = branch.view()?;
    let before = view.objects(name)?;
    let previous = seal::ciphertexts(&view, name)?;
    let sealed = seal::preview(instance, &tree, previous.as_ref())?;
    let mut new = if instance.state == State::Stopped {
        compose_without_jobs(sealed, before.as_ref())
    } else {
        compose(sealed, before.as_ref())
    };
    let mut old = before.unwrap_or_default();
    // Both sets of files are one tree to whoever reads the difference.
    old.extend(view.apps(name)?);
    new.extend(tree.apps);
    Ok(diff(&old, &new))
}

/// One line that says how much changes.
pub fn summary(diff: &Diff) -> String {
    let again = diff
        .changed
        .iter()
        .filter(|change| change.runs_again)
        .count();
    let mut text = format!(
        "{} added, {} changed, {} removed",
        diff.added.len(),
        diff.changed.len(),
        diff.removed.len()
    );
    if again > 0 {
        let verb = if again == 1 { "runs" } else { "run" };
        let _written = write!(text, "; {} {verb} again", count(again, "job"));
    }
    let deletions = &diff.deletions;
    if !deletions.volumes.is_empty() {
        let _written = write!(text, "; volumes deleted: {}", deletions.volumes.join(", "));
    }
    if !deletions.hosts.is_empty() {
        let _written = write!(
            text,
            "; hosts no longer served: {}",
            deletions.hosts.join(", ")
        );
    }
    text
}
