//! `grove init`.

use std::path::PathBuf;

use grove_operations::fleet::new::fleet::{self, Request};

use super::init_task;
use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    output::Output,
    terminal,
};

/// Make a new fleet.
///
/// Writes `grove.yaml`, and `.sops.yaml` with who may read the fleet's secrets. Without
/// `--recipient`, that is whoever has the age keys of this machine, where `sops` looks for them;
/// where there is none, one is made. Nothing that is there is overwritten.
///
/// `grove init retry` and `grove init skip` are about init tasks of an instance that runs.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:\n\
    \x20 grove init my-fleet\n\
    \x20 grove init retry prod/uni lms-migrate --wait\n\
    \x20 grove init my-fleet --deploy-remote git@forge.example:acme/deploy-{cluster}.git")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Option<init_task::Command>,
    /// The directory; made where it is missing.
    #[arg(default_value = ".")]
    directory: PathBuf,
    /// The fleet's name; the directory's where nothing is said.
    #[arg(long)]
    name: Option<String>,
    /// Where deploy trees go: a Git URL or path; `{cluster}` stands for the cluster's name.
    #[arg(
        long,
        value_name = "PATTERN",
        default_value = "../deploy-{cluster}.git"
    )]
    deploy_remote: String,
    /// An age recipient (`age1…`) that may read the secrets; may be given several times.
    #[arg(long, value_name = "AGE1…")]
    recipient: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    if let Some(task) = &arguments.task {
        return init_task::run(task, global, output);
    }
    let around = around::of(global, output, &[])?;
    let request = Request {
        id: global.request_id(),
        name: arguments.name.clone(),
        deploy_remote: arguments.deploy_remote.clone(),
        recipients: arguments.recipient.clone(),
    };
    fs_err::create_dir_all(&arguments.directory)?;
    let plan = fleet::plan(&around, &request, &arguments.directory)?;
    let consent = terminal::consent(plan.needs(), output)?;
    plan.carry_out(&consent)?;
    output.note("next: `grove new cluster NAME`, `grove new distribution NAME`");
    Ok(Exit::Done)
}
