//! A combined state, of which every object goes to a stack of its own.
//!
//! Rules say which object belongs to which stack; what no rule claims stops the split, and then nothing is
//! written. Each part is `<stack>/terraform.tfstate`, with a lineage of its own, and `split.json` says what
//! came from where: [`super::join`] undoes it. The state that is read stays as it is.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use std::path::Path;
//!
//! use grove_operations::state::{rules, split};
//!
//! let places = split::Places {
//!     from: split::From::Root(Path::new("infrastructure")),
//!     map: Path::new(rules::BUILT_IN),
//!     out: Path::new("parts"),
//!     stacks: None,
//!     config: None,
//! };
//! let record = split::split(around, &split::Request::default(), places)?;
//! # Ok(())
//! # }
//! ```

use std::{
    io::{BufWriter, Write as _},
    path::Path,
};

use grove_state::{Allow, Record, STAYS};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    RECORD, STATE,
    configure::{configure, copy},
    new_private, parent,
    rules::{self, Names},
    source::{Source, parse},
    write_private,
};
use crate::{
    Around, Error, Result,
    request::RequestId,
    requests::{Answer, once},
    stacks::tofu::{Environment, Root, program},
    threads,
};

/// How many shares of the parts each thread writes: some are larger than others.
const SHARES: usize = 8;

/// Splits a state.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    pub id: Option<RequestId>,
    /// What each name of the rules may stand for.
    pub names: Names,
    /// Move tainted and deposed objects too, as they are.
    pub unsettled: bool,
    /// Allow several objects of one type and one id.
    pub one_id: bool,
}

impl Answer for Record {}

/// Where everything is.
pub struct Places<'a> {
    /// The combined state.
    pub from: From<'a>,
    /// The rules' file, or [`rules::BUILT_IN`].
    pub map: &'a Path,
    /// Where the parts go: a directory that is not there yet.
    pub out: &'a Path,
    /// A directory with a root module for each stack, to be copied beside its state.
    pub stacks: Option<&'a Path>,
    /// The old root module: each part gets the module calls and resources that its objects are of.
    pub config: Option<&'a Path>,
}

/// Where the combined state is.
pub enum From<'a> {
    /// In a file.
    Text(Source<'a>),
    /// In the back end of a root module, where it is read under the back end's own lock.
    Root(&'a Path),
}

/// Writes the parts, all of them or none; what was done is what is written beside them.
pub fn split(around: &Around, request: &Request, places: Places<'_>) -> Result<Record> {
    let _entered = around.enter()?;
    let from = match &places.from {
        From::Text(Source::File(path)) => path,
        From::Text(Source::Stream { name, .. }) => name.as_path(),
        From::Root(path) => path,
    };
    let paths = [Some(from), Some(places.map), Some(places.out)];
    let paths = paths.into_iter().chain([places.stacks, places.config]);
    let owned = |path: &Path| path.to_string_lossy().into_owned();
    let paths: Vec<Option<String>> = paths.map(|path| path.map(owned)).collect();
    let (id, said) = (request.id.as_ref(), (request, &paths));
    once(around, "state/split", id, &said, || {
        write(around, request, places)
    })
}

fn write(around: &Around, request: &Request, places: Places<'_>) -> Result<Record> {
    let out = places.out;
    if out.exists() {
        return Err(Error::usage(format!("{} is there already", out.display()))
            .hint("parts are written to a new directory, all of them or none"));
    }
    let rules = rules::read(places.map, &request.names)?;
    let environment = Environment::new(around);
    let mut lock = None;
    let (named, text) = match places.from {
        From::Text(source) => source.read()?,
        From::Root(directory) => {
            let program = program(around)?;
            let root = Root {
                program: &program,
                directory,
                data: None,
                environment: &environment,
            };
            root.init()?;
            lock = Some(root.lock()?);
            let text = root.pull()?.ok_or_else(|| {
                Error::usage(format!(
                    "the back end of {} has no state",
                    directory.display()
                ))
            })?;
            (directory.to_owned(), text)
        }
    };
    let state = parse(&named, &text)?;
    let allow = Allow {
        unsettled: request.unsettled,
        one_id: request.one_id,
    };
    let split = grove_state::split(state, &rules, allow)?;
    let mut record = split.record;

    // Written beside its place, and renamed once it is whole.
    let beside = tempfile::Builder::new()
        .prefix(".grove-split-")
        .tempdir_in(parent(out))?;
    let stacks = places.stacks;
    let mut pairs: Vec<_> = split.parts.iter().zip(&mut record.parts).collect();
    let size = pairs.len().div_ceil(threads::all() * SHARES).max(1);
    let shares = pairs.chunks_mut(size).collect();
    let written = threads::each(threads::all(), shares, |share| -> Result<()> {
        let mut text = String::new();
        for (part, known) in share {
            text.clear();
            part.state.write(&mut text);
            known.sha256 = digest(&text);
            let directory = beside.path().join(&part.stack);
            fs_err::create_dir_all(&directory)?;
            if let Some(stacks) = stacks
                && part.stack != STAYS
            {
                copy(&stacks.join(&part.stack), &directory)?;
            }
            write_private(&directory.join(STATE), &text)?;
        }
        Ok(())
    });
    written.into_iter().collect::<Result<()>>()?;
    if let Some(lock) = lock {
        lock.release()?;
    }
    if let Some(config) = places.config {
        let program = program(around)?;
        let old = Root {
            program: &program,
            directory: config,
            data: None,
            environment: &environment,
        };
        configure(around, &old, &split.parts, &record, beside.path(), out)?;
    }
    let mut file = BufWriter::new(new_private(&beside.path().join(RECORD))?);
    serde_json::to_writer_pretty(&mut file, &record).map_err(std::io::Error::from)?;
    file.write_all(b"\n")?;
    file.flush()?;
    drop(file);
    // Hundreds of files reach the disk together, before they are called by their name.
    let directory = fs_err::File::open(beside.path())?;
    let (synced, ()) = threads::both(|| nix::unistd::syncfs(&directory), || drop(split.parts));
    synced.map_err(std::io::Error::from)?;
    fs_err::rename(beside.path(), out)?;
    // It is no temporary directory any more.
    let _renamed = beside.keep();
    Ok(record)
}

/// `sha256:` and the digest of a file's text.
pub(super) fn digest(text: &str) -> String {
    format!("sha256:{:x}", Sha256::digest(text.as_bytes()))
}
