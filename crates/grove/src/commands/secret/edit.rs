//! `grove secret edit`.

use grove_operations::secrets::owner::{self, Request};

use crate::{
    around,
    error::{Error, Exit, Result},
    global::Global,
    output::Output,
};

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
    global.must_be_work_tree()?;
    let around = around::of(global, output, &[])?;
    let request = Request {
        owner: arguments.owner.clone(),
        cluster_only: false,
    };
    let outcome = owner::read(&around, &request)?;
    let root = around.fleet()?;
    let mut sops = grove_exec::Invocation::new("sops")
        .arg("edit")
        .arg(&outcome.file)
        .cwd(root)
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
    if let Some(key) = &outcome.published_key {
        sops = sops.env("SOPS_AGE_KEY_FILE", root.join(key));
    }
    let status = sops.interact()?;
    match status.code() {
        Some(0) => Ok(Exit::Done),
        // `sops` says with 200 that nothing was changed.
        Some(200) => {
            output.note("nothing was changed");
            Ok(Exit::Done)
        }
        _ => Err(Error::tool(format!("`sops` ended with {status}"))),
    }
}
