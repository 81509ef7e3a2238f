//! `grove render`.

use std::path::{Path, PathBuf};

use grove_fleet::model::Instance;
use grove_render::Tree;

use crate::{
    cli::Global,
    commands::selection::Selection,
    error::{CommandError, Exit, Result},
    output::Output,
    pipeline::Pipeline,
    workspace::{Workspace, is_json},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Where the trees go, as `DIR/<cluster>/{apps,instances}/…`; files there that a render would
    /// not write are removed from the instances that it renders.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Render anew what the cache has, and keep nothing there.
    #[arg(long)]
    no_cache: bool,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.sound(output)?;
    let instances = arguments.selection.for_reading(&fleet)?;
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
                "{}: {} objects, {} secrets\n",
                instance.address,
                tree.objects.len(),
                tree.secrets.len()
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
        fs_err::remove_dir_all(&objects)?;
    }
    fs_err::create_dir_all(&objects)?;
    fs_err::create_dir_all(&apps)?;
    for (name, object) in &tree.objects {
        fs_err::write(objects.join(name), grove_yaml::emit(object))?;
    }
    for (name, object) in &tree.apps {
        fs_err::write(apps.join(name), grove_yaml::emit(object))?;
    }
    Ok(())
}
