//! Stacks as directories that OpenTofu runs without Grove.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use grove_operations::{Around, Result, consent::Consent, stacks::{eject, select::StackSelection}};
//!
//! fn hand_over(around: &Around, out: &Path) -> Result<eject::Outcome> {
//!     let selection = StackSelection { all: true, ..StackSelection::default() };
//!     let request = eject::Request { selection, ..eject::Request::default() };
//!     let plan = eject::plan(around, &request, out)?;
//!     let consent = Consent::to(plan.needs().clone());
//!     plan.carry_out(&consent)
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
    Around, Error, Result,
    consent::{Consent, Needs},
    files,
    place::Place,
    request::RequestId,
    requests::{Answer, Once},
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

/// A root module that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// The stack's address.
    pub stack: String,
    /// Its directory, below the one that was written.
    pub directory: String,
}

impl Answer for Outcome {}

/// What a request would do.
pub struct Plan<'a>(Once<'a, Work, Outcome>);

struct Work {
    needs: Needs,
    out: Place,
    outcome: Outcome,
    /// Content by path, below the directory that is written.
    files: BTreeMap<String, Vec<u8>>,
}

/// Reads the fleet. `out` is the directory that is written, which must not be there.
pub fn plan<'a>(around: &'a Around, request: &Request, out: &Path) -> Result<Plan<'a>> {
    let (id, said) = (request.id.as_ref(), (request, out.to_string_lossy()));
    Once::plan(around, "stacks/eject", id, &said, |_| {
        work(around, request, out)
    })
    .map(Plan)
}

fn work(around: &Around, request: &Request, out: &Path) -> Result<Work> {
    request.selection.must_be_stated()?;
    let stacks = Stacks::read(around, request.revision.as_deref())?;
    let selected = request.selection.select(&stacks.fleet)?;
    let out = Place::of(around, out);
    refuse_existing(&out)?;
    let base = fs_err::canonicalize(&stacks.workspace.root)?;
    let mut files = BTreeMap::new();
    let mut rows = Vec::new();
    for address in &selected {
        if stacks.get(address)?.module().is_none() {
            continue;
        }
        let root = stacks.runnable(address)?;
        let page = page(address, &root, &stacks.get(address)?.credentials);
        let backend = root.backend(&base.to_string_lossy());
        let directory = root.directory;
        files.extend(root.files);
        files.insert(format!("{directory}/{BACKEND_FILE}"), backend.into());
        files.insert(format!("{directory}/README.md"), page.into());
        rows.push(Row {
            stack: address.to_string(),
            directory,
        });
    }
    Ok(Work {
        needs: Needs::default(),
        out,
        outcome: Outcome { stacks: rows },
        files,
    })
}

fn refuse_existing(out: &Place) -> Result<()> {
    if !out.exists() {
        return Ok(());
    }
    let error = Error::refused(format!("`{}` is there already", out.display()));
    Err(out.named(error.hint("nothing was written; edit the file, or remove it first")))
}

impl Plan<'_> {
    /// What must be agreed to: nothing, as nothing is there that could be lost.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// Writes each stack's root module with its back end, its inputs and the versions of its providers into the
    /// new directory, and a page that says what it needs in its environment. States stay where they are, so that
    /// a plan there changes nothing. Secrets are not written.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0
            .carry_out(consent, |work, consent, _| work.carry_out(consent))
    }
}

impl Work {
    fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        refuse_existing(&self.out)?;
        files::new_directory(&self.out, |beside| {
            for (path, bytes) in &self.files {
                files::write_atomically(&beside.join(path), bytes)?;
            }
            Ok(())
        })
        .map_err(|error| self.out.named(error))?;
        Ok(self.outcome)
    }
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
