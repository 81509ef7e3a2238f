//! `grove render`.

use std::path::{Path, PathBuf};

use grove_fleet::model::Instance;
use grove_render::Tree;

use crate::{
    cli::Global,
    commands::selection::Selection,
    error::{CommandError, Exit, Result},
    output::{Output, count},
    pipeline::Pipeline,
    surroundings,
    workspace::{Workspace, is_json},
};

/// Render instances to plain YAML, without secrets.
///
/// Runs the real Tutor and Grove's own passes, and writes one object a file. A secret's place is
/// marked with its name, so no key is needed. Without a selection, every instance is rendered.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove render --out ../rendered\n\
    \x20 grove render prod/uni --out ../rendered")]
pub(crate) struct Arguments {
    /// Where the trees go, as `DIR/<cluster>/{apps,instances}/…`; files there that a render would
    /// not write are removed from the instances that it renders.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Render anew what the cache has, and keep nothing there.
    #[arg(long)]
    no_cache: bool,
    #[command(flatten)]
    selection: Selection,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.sound(output)?;
    let instances = arguments.selection.select(&fleet)?;
    let pipeline = Pipeline::new(output, !arguments.no_cache)?;
    output.progress("rendering");
    let trees = pipeline.trees(&fleet, &instances, &fleet.deploy_remote)?;
    output.progress_done();
    let mut rows = Vec::new();
    for instance in instances {
        let Some(tree) = trees.get(&instance.address) else {
            continue;
        };
        write(&arguments.out, instance, tree)?;
        rows.push(serde_json::json!({
            "instance": instance.address,
            "objects": tree.objects.len(),
            "secrets": tree.secrets,
            "images": tree.images,
        }));
        if !is_json(output) {
            output.print(&format!(
                "{}: {}, {}\n",
                instance.address,
                count(tree.objects.len(), "object"),
                count(tree.secrets.len(), "secret")
            ))?;
        }
    }
    if is_json(output) {
        output.json(&serde_json::json!({"version": 1, "instances": rows}))?;
    }
    Ok(Exit::Done)
}

/// Writes a tree, replacing what an earlier render left of the same instance.
fn write(out: &Path, instance: &Instance, tree: &Tree) -> Result<()> {
    let cluster = out.join(&instance.address.cluster);
    let objects = cluster.join("instances").join(&instance.address.instance);
    let apps = cluster.join("apps");
    // What stands at a place that this wrote before is ours; anything else there is not.
    if objects.exists() {
        for entry in fs_err::read_dir(&objects)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "yaml") {
                return Err(CommandError::refused(format!(
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
        surroundings::write_atomically(&apps.join(name), grove_yaml::emit(object))?;
    }
    Ok(())
}
