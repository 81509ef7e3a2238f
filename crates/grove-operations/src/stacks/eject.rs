//! Stacks as directories that OpenTofu runs without Grove.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use grove_operations::{Around, Result, stacks::{eject, select::StackSelection}};
//!
//! fn hand_over(around: &Around, out: &Path) -> Result<eject::Outcome> {
//!     let selection = StackSelection { all: true, ..StackSelection::default() };
//!     eject::eject(around, &eject::Request { id: None, revision: None, selection }, out)
//! }
//! ```

use std::{collections::BTreeMap, path::Path};

use grove_stack::{
    root::{BACKEND_FILE, Root},
    stack::Address,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{all::Stacks, select::StackSelection};
use crate::{
    Around, Error, Result, files,
    request::RequestId,
    requests::{Answer, once},
};

/// Writes the root modules of stacks.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    pub id: Option<RequestId>,
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Which stacks. Nothing said is refused: say `all`.
    pub selection: StackSelection,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Every stack that has a root module, in the order of their addresses.
    pub stacks: Vec<Row>,
}

impl Answer for Outcome {}

/// A root module that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// The stack's address.
    pub stack: String,
    /// Its directory, below the one that was written.
    pub directory: String,
}

/// Writes each stack's root module with its back end, its inputs and the versions of its providers below
/// `out`, which must not be there, and a page that says what it needs in its environment. States stay where
/// they are, so that a plan there changes nothing. Secrets are not written.
pub fn eject(around: &Around, request: &Request, out: &Path) -> Result<Outcome> {
    let _entered = around.enter()?;
    let (id, said) = (request.id.as_ref(), (request, out.to_string_lossy()));
    once(around, "stacks/eject", id, &said, || {
        write(around, request, out)
    })
}

fn write(around: &Around, request: &Request, out: &Path) -> Result<Outcome> {
    request.selection.must_be_stated()?;
    let stacks = Stacks::read(around, request.revision.as_deref())?;
    let selected = request.selection.select(&stacks.fleet)?;
    if out.exists() {
        return Err(
            Error::refused(format!("`{}` is there already", out.display()))
                .hint("nothing was written; edit the file, or remove it first"),
        );
    }
    let base = fs_err::canonicalize(&stacks.workspace.root)?;
    let mut roots = Vec::new();
    for address in &selected {
        if stacks.get(address)?.module().is_some() {
            roots.push((address, stacks.runnable(address)?));
        }
    }
    files::new_directory(out, |beside| {
        for (address, root) in &roots {
            for (path, bytes) in &root.files {
                files::write_atomically(&beside.join(path), bytes)?;
            }
            let directory = beside.join(&root.directory);
            let backend = root.backend(&base.to_string_lossy());
            files::write_atomically(&directory.join(BACKEND_FILE), &backend)?;
            let page = page(address, root, &stacks.get(address)?.credentials);
            files::write_atomically(&directory.join("README.md"), &page)?;
        }
        Ok(())
    })?;
    let rows = roots.into_iter().map(|(address, root)| Row {
        stack: address.to_string(),
        directory: root.directory,
    });
    Ok(Outcome {
        stacks: rows.collect(),
    })
}

/// What stands beside a root module.
fn page(address: &Address, root: &Root, credentials: &BTreeMap<String, String>) -> String {
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
