//! `grove image context`.

use std::path::PathBuf;

use super::{Contexts, fleet, shared};
use crate::{
    cli::Global,
    commands::selection::Selection,
    error::{CommandError, Exit, Result},
    output::Output,
    pipeline::Pipeline,
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
    if arguments.out.exists() {
        return Err(
            CommandError::usage(format!("{} is there already", arguments.out.display()))
                .hint("a context is written whole or not at all, to a new directory"),
        );
    }
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
    let parent = arguments
        .out
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let beside = tempfile::Builder::new()
        .prefix(".grove-image-")
        .tempdir_in(parent.unwrap_or_else(|| ".".as_ref()))?;
    for (path, content) in &context.files {
        let place = beside.path().join(path);
        if let Some(parent) = place.parent() {
            fs_err::create_dir_all(parent)?;
        }
        fs_err::write(place, content)?;
    }
    fs_err::rename(beside.path(), &arguments.out)?;
    // It is no temporary directory any more.
    let _renamed = beside.keep();
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
