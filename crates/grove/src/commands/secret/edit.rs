//! `grove secret edit`.

use crate::{
    cli::Global,
    error::{CommandError, Exit, Result},
    output::Output,
    workspace::Workspace,
};

use super::set::place;

/// Open a file in your editor, through the `sops` program.
///
/// The value of one name can be changed without it: `grove secret set`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n\
    \x20 grove secret edit prod/uni")]
pub(crate) struct Arguments {
    /// Whose secrets: `cluster/instance`, `cluster`, or `group:NAME`.
    owner: String,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    if global.rev.is_some() {
        return Err(CommandError::usage(
            "this writes to the work tree; leave `--rev` out",
        ));
    }
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let file = place(&workspace, &fleet, &arguments.owner, false)?.file;
    let mut sops = grove_exec::Invocation::new("sops")
        .arg("edit")
        .arg(&file)
        .cwd(&workspace.root)
        .pass(grove_exec::Variables::Network)
        .pass(grove_exec::Variables::Sops)
        .pass(grove_exec::Variables::Editor)
        .hint("`grove secret set` changes one value without the `sops` program");
    for name in [
        "EDITOR",
        "SOPS_EDITOR",
        "TERM",
        "SOPS_AGE_KEY",
        "SOPS_AGE_KEY_FILE",
        "SOPS_AGE_KEY_CMD",
        "XDG_CONFIG_HOME",
    ] {
        sops = sops.pass_env(name);
    }
    if let Some(key) = &fleet.published_key {
        sops = sops.env("SOPS_AGE_KEY_FILE", workspace.root.join(key));
    }
    let status = sops.interact()?;
    match status.code() {
        Some(0) => Ok(Exit::Done),
        // `sops` says with 200 that nothing was changed.
        Some(200) => {
            output.note("nothing was changed");
            Ok(Exit::Done)
        }
        _ => Err(CommandError::tool(format!("`sops` ended with {status}"))),
    }
}
