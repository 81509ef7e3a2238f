//! `grove secret edit`.

use crate::{
    cli::Global,
    error::{CommandError, Exit, Result},
    output::Output,
    workspace::Workspace,
};

use super::set::place;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Whose secrets: `cluster/instance`, `cluster`, or `group:NAME`.
    owner: String,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let file = place(&fleet, &arguments.owner, false)?.file;
    let mut sops = grove_exec::Invocation::new("sops")
        .arg("edit")
        .arg(&file)
        .cwd(&workspace.root)
        .pass(grove_exec::Variables::Network)
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
