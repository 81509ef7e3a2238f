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
//! use grove_operations::{consent::Consent, state::{rules, split}};
//!
//! let places = split::Places {
//!     from: split::From::Root(Path::new("infrastructure")),
//!     map: Path::new(rules::BUILT_IN),
//!     out: Path::new("parts"),
//!     stacks: None,
//!     config: None,
//! };
//! let plan = split::plan(around, &split::Request::default(), &places)?;
//! let consent = Consent::to(plan.needs().clone());
//! let record = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use std::{
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use grove_state::{Allow, Record, STAYS};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    RECORD, STATE,
    configure::{Configured, configure, copy},
    new_private, parent,
    rules::{self, Names},
    source::{Source, parse},
    write_private,
};
use crate::{
    Around, Error, Result,
    consent::{Consent, Needs},
    place::Place,
    request::RequestId,
    requests::{Answer, Once},
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

/// Where everything is; relative paths begin at [`Around::directory`].
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
    Text(Source),
    /// In the back end of a root module, where it is read under the back end's own lock.
    Root(&'a Path),
}

impl Answer for Record {}

/// What a request would do.
pub struct Plan<'a>(Once<'a, Work<'a>, Record>);

struct Work<'a> {
    around: &'a Around,
    needs: Needs,
    out: Place,
    record: Record,
    /// The text of the state of each part, in the order of the record.
    texts: Vec<String>,
    /// Where the root module of each stack is copied from.
    stacks: Option<Place>,
    /// The configuration of each part, and what brings it into the form of the language.
    configured: Option<(PathBuf, Vec<Configured>)>,
}

/// Reads the state and gives every object to a stack. Nothing is written, but that `init` prepares an old root
/// that is named and was not prepared.
pub fn plan<'a>(around: &'a Around, request: &Request, places: &Places<'_>) -> Result<Plan<'a>> {
    let from = match &places.from {
        From::Text(source) => source.name(),
        From::Root(directory) => directory,
    };
    let paths = [
        Some(from),
        Some(places.map),
        Some(places.out),
        places.stacks,
        places.config,
    ];
    let paths = paths.map(|path| path.map(Path::to_string_lossy));
    let (id, said) = (request.id.as_ref(), (request, &paths));
    Once::plan(around, "state/split", id, &said, |_| {
        work(around, request, places)
    })
    .map(Plan)
}

fn work<'a>(around: &'a Around, request: &Request, places: &Places<'_>) -> Result<Work<'a>> {
    let out = Place::of(around, places.out);
    refuse_existing(&out)?;
    let rules = rules::read(around, places.map, &request.names)?;
    let environment = Environment::new(around);
    let (named, text) = match &places.from {
        From::Text(source) => (source.name(), source.read(around)?),
        From::Root(directory) => {
            let place = Place::of(around, directory);
            let text = pull(around, &environment, &place).map_err(|error| place.named(error))?;
            (*directory, text.into())
        }
    };
    let state = parse(named, &text)?;
    let allow = Allow {
        unsettled: request.unsettled,
        one_id: request.one_id,
    };
    let split = grove_state::split(state, &rules, allow)?;
    let mut record = split.record;
    let mut pairs: Vec<_> = split.parts.iter().zip(&mut record.parts).collect();
    let shares = pairs.chunks_mut(share(split.parts.len())).collect();
    let texts = threads::each(threads::all(), shares, |share| {
        let texts = share.iter_mut().map(|(part, known)| {
            let mut text = String::new();
            part.state.write(&mut text);
            known.sha256 = digest(&text);
            text
        });
        texts.collect::<Vec<_>>()
    });
    let configured = match places.config {
        None => None,
        Some(config) => {
            let config = Place::of(around, config);
            let program = program(around)?;
            let old = Root {
                program: &program,
                directory: &config,
                data: None,
                environment: &environment,
            };
            let made = configure(around, &old, &split.parts, &record, &out)
                .map_err(|error| config.named(error))?;
            Some((program, made))
        }
    };
    Ok(Work {
        around,
        needs: Needs::default(),
        out,
        record,
        texts: texts.into_iter().flatten().collect(),
        stacks: places.stacks.map(|stacks| Place::of(around, stacks)),
        configured,
    })
}

/// How many of several parts one thread takes at once.
fn share(parts: usize) -> usize {
    parts.div_ceil(threads::all() * SHARES).max(1)
}

fn refuse_existing(out: &Place) -> Result<()> {
    if !out.exists() {
        return Ok(());
    }
    let error = Error::usage(format!("{} is there already", out.display()))
        .hint("parts are written to a new directory, all of them or none");
    Err(out.named(error))
}

/// The state of a root module, read under the lock of its back end.
fn pull(around: &Around, environment: &Environment, directory: &Path) -> Result<String> {
    let program = program(around)?;
    let root = Root {
        program: &program,
        directory,
        data: None,
        environment,
    };
    root.init()?;
    let lock = root.lock()?;
    let text = root.pull()?.ok_or_else(|| {
        Error::usage(format!(
            "the back end of {} has no state",
            directory.display()
        ))
    })?;
    lock.release()?;
    Ok(text)
}

impl Plan<'_> {
    /// What must be agreed to: nothing, as parts go to a new directory and the state stays as it is.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// What will be said in the record.
    pub fn record(&self) -> &Record {
        self.0.shown(|work| &work.record)
    }

    /// Writes the parts, all of them or none; what was done is what is written beside them.
    pub fn carry_out(self, consent: &Consent) -> Result<Record> {
        self.0
            .carry_out(consent, |work, consent, _| work.carry_out(consent))
    }
}

impl Work<'_> {
    fn carry_out(self, consent: &Consent) -> Result<Record> {
        self.needs.met_by(consent)?;
        refuse_existing(&self.out)?;
        let places = self.stacks.iter().chain([&self.out]);
        let written = self.write();
        written.map_err(|error| places.fold(error, |error, place| place.named(error)))?;
        Ok(self.record)
    }

    fn write(&self) -> Result<()> {
        // Written beside its place, and renamed once it is whole.
        let beside = tempfile::Builder::new()
            .prefix(".grove-split-")
            .tempdir_in(parent(&self.out))?;
        let pairs: Vec<_> = self.record.parts.iter().zip(&self.texts).collect();
        let shares = pairs.chunks(share(pairs.len())).collect();
        let written = threads::each(threads::all(), shares, |share| -> Result<()> {
            for (known, text) in share {
                let directory = beside.path().join(&known.stack);
                fs_err::create_dir_all(&directory)?;
                if let Some(stacks) = &self.stacks
                    && known.stack != STAYS
                {
                    copy(&stacks.join(&known.stack), &directory)?;
                }
                write_private(&directory.join(STATE), text)?;
            }
            Ok(())
        });
        written.into_iter().collect::<Result<()>>()?;
        if let Some((program, configured)) = &self.configured {
            for part in configured {
                part.write(beside.path())?;
            }
            let all = Root {
                program,
                directory: beside.path(),
                data: None,
                environment: &Environment::new(self.around),
            };
            all.run(&["fmt", "-recursive"])?;
        }
        let mut file = BufWriter::new(new_private(&beside.path().join(RECORD))?);
        serde_json::to_writer_pretty(&mut file, &self.record).map_err(std::io::Error::from)?;
        file.write_all(b"\n")?;
        file.flush()?;
        drop(file);
        // Hundreds of files reach the disk together, before they are called by their name.
        let directory = fs_err::File::open(beside.path())?;
        nix::unistd::syncfs(&directory).map_err(std::io::Error::from)?;
        fs_err::rename(beside.path(), &*self.out)?;
        // It is no temporary directory any more.
        let _renamed = beside.keep();
        Ok(())
    }
}

/// `sha256:` and the digest of a file's text.
pub(super) fn digest(text: &str) -> String {
    format!("sha256:{:x}", Sha256::digest(text.as_bytes()))
}
