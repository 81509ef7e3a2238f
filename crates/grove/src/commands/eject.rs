//! `grove eject`.

use std::path::{Path, PathBuf};

use grove_stack::{
    root::{BACKEND_FILE, Root},
    stack::Address,
};

use crate::{
    cli::Global,
    commands::init,
    error::{Exit, Result},
    output::{Output, count},
    stacks::{Program, StackSelection, Stacks},
    surroundings,
    workspace::Workspace,
};

/// Leave stacks as directories that OpenTofu runs without Grove.
///
/// Writes each stack's root module with its back end, its inputs and the versions of its providers, and
/// a page that says what it needs in its environment. The state stays where it is, so that a plan there
/// changes nothing. Secrets are not written.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove eject prod --out handover\n\
    \x20 grove eject prod:network --out network")]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: StackSelection,
    /// The directory to write, which must not exist.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    arguments.selection.must_be_stated()?;
    let workspace = Workspace::open(global)?;
    let stacks = Stacks::open(&workspace, &Program::none(), output)?;
    let selected = arguments.selection.select(&stacks.fleet)?;
    init::refuse_existing(Path::new(""), [arguments.out.to_string_lossy().as_ref()])?;
    let base = fs_err::canonicalize(&workspace.root)?;
    let mut roots = Vec::new();
    for address in &selected {
        if stacks.get(address)?.module().is_some() {
            roots.push((address, stacks.runnable(address)?));
        }
    }
    surroundings::new_directory(&arguments.out, |beside| {
        for (address, root) in &roots {
            for (path, bytes) in &root.files {
                surroundings::write_atomically(&beside.join(path), bytes)?;
            }
            let directory = beside.join(&root.directory);
            let backend = root.backend(&base.to_string_lossy());
            surroundings::write_atomically(&directory.join(BACKEND_FILE), &backend)?;
            let page = page(address, root, &stacks.get(address)?.credentials);
            surroundings::write_atomically(&directory.join("README.md"), &page)?;
        }
        Ok(())
    })?;
    for (address, root) in &roots {
        let directory = arguments.out.join(&root.directory);
        output.print(&format!("{address}  {}\n", directory.display()))?;
    }
    output.note(&format!(
        "{}: `tofu init && tofu plan` in each changes nothing",
        count(roots.len(), "stack")
    ));
    Ok(Exit::Done)
}

/// What stands beside a root module.
fn page(
    address: &Address,
    root: &Root,
    credentials: &std::collections::BTreeMap<String, String>,
) -> String {
    let secret = root.secret.keys().map(|name| format!("TF_VAR_{name}"));
    let needed: Vec<String> = credentials
        .keys()
        .cloned()
        .chain(secret)
        .map(|name| format!("- `{name}`\n"))
        .collect();
    let needed = if needed.is_empty() {
        "It was given no secrets by Grove; its providers may need their own.\n".to_owned()
    } else {
        format!("Set these in the environment first:\n\n{}", needed.concat())
    };
    format!(
        "# {address}\n\nThe root module of this stack, as Grove ran it. `grove.tf` says where its state is,\n\
         `grove.auto.tfvars.json` has its inputs: values that other stacks gave stand there as they were.\n\n{needed}\n\
         ```\ntofu init\ntofu plan\n```\n"
    )
}
