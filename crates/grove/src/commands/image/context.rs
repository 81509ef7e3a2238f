//! `grove image context`.

use std::path::{Path, PathBuf};

use super::{Contexts, fleet, shared};
use crate::{
    cli::Global,
    commands::{init, selection::Selection},
    error::{Exit, Result},
    output::Output,
    pipeline::Pipeline,
    surroundings,
    workspace::{Workspace, is_json},
};

/// Write the directory that an image is built from.
///
/// Tutor's own Dockerfile, with the packages and the theme of the fleet. It holds no secret: credentials
/// for what is not public reach the build as a secret of its own, and stay in no image. What the command
/// says at the end is how a builder is called.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove image context prod/uni openedx --out context\n\
    \x20 grove image context @general mfe --out context")]
pub(super) struct Arguments {
    /// Which instances: `cluster/instance` (with `*`), `cluster`, or `@ring`. They must share the image.
    selector: String,
    /// The image: `openedx`, `mfe`, or one of a plugin.
    image: String,
    /// Where it goes: a directory that is not there yet.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    init::refuse_existing(Path::new(""), [arguments.out.to_string_lossy().as_ref()])?;
    let workspace = Workspace::open(global)?;
    let fleet = fleet(&workspace, output)?;
    let instances = Selection::of(&arguments.selector).select(&fleet)?;
    let pipeline = Pipeline::new(output, true)?;
    let contexts = Contexts {
        fleet: &fleet,
        pipeline: &pipeline,
        output,
    };
    let found: Result<Vec<_>> = instances
        .iter()
        .map(|instance| {
            Ok((
                instance.address.clone(),
                contexts.of(instance, &arguments.image)?,
            ))
        })
        .collect();
    output.progress_done();
    let context = shared(found?)?;
    surroundings::new_directory(&arguments.out, |beside| {
        for (path, content) in &context.files {
            let place = beside.join(path);
            if let Some(parent) = place.parent() {
                fs_err::create_dir_all(parent)?;
            }
            fs_err::write(place, content)?;
        }
        Ok(())
    })?;
    let reference = contexts.reference(&context.name);
    let instance = instances.first();
    let has_credentials = arguments.image == "openedx"
        && instance.is_some_and(|instance| !instance.build.credentials.is_empty());
    if is_json(output) {
        output.json(&serde_json::json!({
            "version": 1,
            "image": reference,
            "files": context.files.len(),
            "secrets": if has_credentials { vec![grove_render::NETRC] } else { Vec::new() },
        }))?;
        return Ok(Exit::Done);
    }
    output.print(&format!("{reference}\n"))?;
    let mut command = format!("docker buildx build --push --tag {reference}");
    if let Some(instance) = instance.filter(|_| has_credentials) {
        command = format!(
            "NETRC=$(grove image credentials {}) {command} --secret id={},env=NETRC",
            instance.address,
            grove_render::NETRC
        );
    }
    output.note(&format!("{command} {}", arguments.out.display()));
    Ok(Exit::Done)
}
