//! `grove image context`.

use std::path::{Path, PathBuf};

use grove_operations::{
    fleet::new::refuse_existing,
    images::context::{self, Request},
};

use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    output::{Output, is_json},
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
    refuse_existing(Path::new(""), [arguments.out.to_string_lossy().as_ref()])?;
    let around = around::of(global, output, &[])?;
    let request = Request {
        revision: global.rev.clone(),
        selector: arguments.selector.clone(),
        image: arguments.image.clone(),
    };
    let context = context::read(&around, &request)?;
    context.write(&around, &arguments.out)?;
    let outcome = context.outcome();
    output.outcome(outcome, || format!("{}\n", outcome.image))?;
    if is_json(output) {
        return Ok(Exit::Done);
    }
    let mut command = format!("docker buildx build --push --tag {}", outcome.image);
    for secret in &outcome.secrets {
        command = format!(
            "NETRC=$(grove image credentials {}) {command} --secret id={secret},env=NETRC",
            context.instance()
        );
    }
    output.note(&format!("{command} {}", arguments.out.display()));
    Ok(Exit::Done)
}
