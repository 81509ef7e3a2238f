//! Rendered instances as files of a directory.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{fleet::selection::Selection, render::directory};
//!
//! let request = directory::Request {
//!     selection: Selection::of("prod/uni"),
//!     ..directory::Request::default()
//! };
//! let outcome = directory::write(around, &request, "rendered".as_ref())?;
//! # Ok(())
//! # }
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use grove_fleet::{Address, model::Instance};
use grove_render::Tree;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pipeline::Pipeline;
use crate::{
    Around, Doing, Error, Result, files,
    fleet::{selection::Selection, workspace::Workspace},
    place::Place,
};

/// Renders instances, without secrets: a placeholder with its name stands for each, so no key is needed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Which instances; all of them where nothing is said.
    pub selection: Selection,
    /// Renders anew what the cache has, and keeps nothing there.
    pub anew: bool,
}

/// What was rendered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Each instance that was written, in the order of their addresses.
    pub instances: Vec<Row>,
    /// Why the next one could not be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Error>,
}

/// What an instance was rendered to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// `cluster/instance`.
    pub instance: String,
    /// How many objects it has, one a file.
    pub objects: usize,
    /// The names of the secrets that they need.
    pub secrets: BTreeSet<String>,
    /// The image of each component; `component/workload` where workloads of one differ.
    pub images: BTreeMap<String, String>,
}

/// Renders instances and writes them to `DIR/<cluster>/{apps,instances}/…`; files there that a render would not
/// write are removed from the instances that it renders. A relative `directory` begins at [`Around::directory`].
pub fn write(around: &Around, request: &Request, directory: &Path) -> Result<Outcome> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.sound()?;
    let instances = request.selection.select(&fleet)?;
    let pipeline = Pipeline::new(around, !request.anew)?;
    around.doing(Doing::Rendering);
    let directory = Place::of(around, directory);
    let mut trees = pipeline.trees(&fleet, &instances, &fleet.deploy_remote)?;
    around.progress_done();
    let mut outcome = Outcome {
        instances: Vec::new(),
        failure: None,
    };
    for Instance { address, .. } in instances {
        let Some(tree) = trees.remove(address) else {
            continue;
        };
        if let Err(error) = write_tree(&directory, address, &tree) {
            outcome.failure = Some(directory.named(error));
            break;
        }
        outcome.instances.push(Row {
            instance: address.to_string(),
            objects: tree.objects.len(),
            secrets: tree.secrets,
            images: tree.images,
        });
    }
    Ok(outcome)
}

/// Writes a tree, replacing what an earlier render left of the same instance.
fn write_tree(directory: &Path, address: &Address, tree: &Tree) -> Result<()> {
    let cluster = directory.join(&address.cluster);
    let objects = cluster.join("instances").join(&address.instance);
    let apps = cluster.join("apps");
    // What stands at a place that this wrote before is ours; anything else there is not.
    if objects.exists() {
        for entry in fs_err::read_dir(&objects)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "yaml") {
                return Err(Error::refused(format!(
                    "`{}` was not written by `grove render`",
                    path.display()
                ))
                .hint("name another directory with `--out`"));
            }
        }
    }
    // Put in place by a rename: an instance's directory is whole or as it was.
    let instances = cluster.join("instances");
    fs_err::create_dir_all(&instances)?;
    let scratch = tempfile::Builder::new()
        .prefix(".render-")
        .tempdir_in(&instances)?;
    let fresh = scratch.path().join("new");
    fs_err::create_dir(&fresh)?;
    for (name, object) in &tree.objects {
        fs_err::write(fresh.join(name), grove_yaml::emit(object))?;
    }
    if objects.exists() {
        fs_err::rename(&objects, scratch.path().join("old"))?;
    }
    fs_err::rename(&fresh, &objects)?;
    for (name, object) in &tree.apps {
        files::write_atomically(&apps.join(name), grove_yaml::emit(object))?;
    }
    Ok(())
}
