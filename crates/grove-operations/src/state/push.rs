//! The parts of a split, put into their back ends.
//!
//! Then their objects are taken out of the combined state. The old root is locked, its state kept beside the
//! parts, the parts are pushed first and the combined state last. Whatever goes wrong on the way, the same
//! request goes on from there: until the last step the combined state is as it was.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use std::path::Path;
//!
//! use grove_operations::state::push;
//!
//! let places = push::Places {
//!     directory: Path::new("parts"),
//!     source: Path::new("infrastructure"),
//!     stacks: Path::new("stacks"),
//! };
//! let outcome = push::push(around, &push::Request::default(), places)?;
//! # Ok(())
//! # }
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use grove_state::{Record, STAYS, State, diff};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PartFile, parts, source::parse, split::digest, write_whole};
use crate::{
    Around, Error, Kind, Result,
    request::RequestId,
    requests::{Answer, once},
    stacks::tofu::{Environment, Root, program},
    text::count,
};

/// Pushes the parts of a split.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    pub id: Option<RequestId>,
    /// Push although the old root still declares what was moved: its next apply would make it anew.
    pub still_declared: bool,
}

/// Where everything is.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The directory that [`super::split::split`] wrote.
    pub directory: &'a Path,
    /// The old root module, whose back end holds the combined state.
    pub source: &'a Path,
    /// The directory with a root module for each stack, which has its back end.
    pub stacks: &'a Path,
}

/// What is pushed now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// What was done, in this run and in those before it.
    pub journal: Journal,
    /// How many parts there are but what stays.
    pub parts: usize,
    /// How many objects they have.
    pub objects: usize,
}

/// What was done, written after each step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Journal {
    /// The format, 1.
    pub version: u32,
    /// Stack → digest of the file that is in its back end.
    pub pushed: BTreeMap<String, String>,
    /// Whether the combined state is without what was moved.
    pub finished: bool,
}

/// The journal's name, beside the record.
const JOURNAL: &str = "push.json";
/// The name of the copy of the combined state.
const BACKUP: &str = "combined.tfstate";

impl Answer for Outcome {}

/// Pushes what is not in its back end yet.
pub fn push(around: &Around, request: &Request, places: Places<'_>) -> Result<Outcome> {
    let _entered = around.enter()?;
    let Places {
        directory,
        source,
        stacks,
    } = places;
    let places_said = [directory, source, stacks].map(Path::to_string_lossy);
    let (id, said) = (request.id.as_ref(), (request, places_said));
    once(around, "state/push", id, &said, || {
        pushed(around, request, places)
    })
}

fn pushed(around: &Around, request: &Request, places: Places<'_>) -> Result<Outcome> {
    let program = program(around)?;
    let (record, texts) = parts(places.directory)?;
    for (part, found) in record.parts.iter().zip(&texts) {
        if part.sha256 != digest(&found.text) {
            return Err(Error::refused(format!(
                "{} is not the file that was split off",
                found.path.display()
            ))
            .hint("split again: what was changed here has never been verified"));
        }
    }
    let mut journal = Journal::read(places.directory)?;
    if journal.finished {
        around.note("everything was pushed already");
        return Ok(outcome(&record, journal));
    }
    let environment = Environment::new(around);
    let source = Root {
        program: &program,
        directory: places.source,
        data: None,
        environment: &environment,
    };
    let work = Work {
        around,
        stacks: places.stacks,
        record: &record,
        program: &program,
        environment: &environment,
    };
    around.progress("locking the combined state");
    source.init()?;
    let lock = source.lock()?;
    let text = source
        .pull()?
        .ok_or_else(|| Error::refused("the old root has no state"))?;
    let state = parse(Path::new("the combined state"), &text)?;
    // What stays is no part that is pushed: it is what the combined state is in the end.
    let (stays, texts): (Vec<_>, Vec<_>) = texts.into_iter().partition(|part| part.stack == STAYS);
    let stays = stays
        .first()
        .map(|part| parse(&part.path, &part.text))
        .transpose()?;
    let staying = stays.as_ref().map_or(0, State::len);
    if journal.pushed.len() == texts.len()
        && state.lineage == record.lineage.as_str()
        && state.serial > record.serial
        && state.len() == staying
    {
        // The last run ended between its last step and its last word.
        lock.release()?;
        journal.finished = true;
        journal.write(places.directory)?;
        around.progress_done();
        return Ok(outcome(&record, journal));
    }
    work.same(&state)?;
    if !request.still_declared {
        around.progress("planning the old root");
        undeclared(&source, &state, stays.as_ref())?;
    }
    write_whole(&places.directory.join(BACKUP), &text)?;
    for part in &texts {
        let stack = &part.stack;
        if journal.pushed.contains_key(stack) {
            continue;
        }
        around.progress(&format!("pushing {stack}"));
        work.push(part).map_err(|error| {
            let done = journal.pushed.len();
            error
                .context(format!("cannot push `{stack}`"))
                .hint(format!(
                    "{done} of {} are in their back ends, the combined state is as it was; run it again, and it goes on from here",
                    count(texts.len(), "part")
                ))
        })?;
        journal.pushed.insert(stack.clone(), digest(&part.text));
        journal.write(places.directory)?;
    }
    // A push takes the lock by itself. Should somebody come in between, the back end refuses our serial.
    around.progress("taking what was moved out of the combined state");
    lock.release()?;
    let left = match stays {
        None => state.without_objects(&record.outputs_left),
        Some(stays) => state.with_what_stays(stays, &record.outputs_left),
    };
    let file = tempfile::NamedTempFile::new()?;
    fs_err::write(file.path(), left.to_text())?;
    source.push(file.path()).map_err(|error| {
        error.context("cannot take what was moved out of the combined state").hint(
            "every part is in its back end; nobody may apply the old root until this command has ended well",
        )
    })?;
    journal.finished = true;
    journal.write(places.directory)?;
    around.progress_done();
    Ok(outcome(&record, journal))
}

fn outcome(record: &Record, journal: Journal) -> Outcome {
    let moved = record.parts.iter().filter(|part| part.stack != STAYS);
    Outcome {
        journal,
        parts: moved.clone().count(),
        objects: moved.map(|part| part.objects).sum(),
    }
}

/// What is pushed, and with what.
struct Work<'a> {
    around: &'a Around,
    stacks: &'a Path,
    record: &'a Record,
    program: &'a Path,
    environment: &'a Environment,
}

impl Work<'_> {
    /// Refuses a combined state that is another one than was split.
    fn same(&self, state: &State<'_>) -> Result<()> {
        let record = self.record;
        if state.lineage == record.lineage.as_str()
            && state.serial == record.serial
            && state.len() == record.objects
        {
            return Ok(());
        }
        Err(Error::refused(format!(
            "the combined state is not the one that was split: serial {} of lineage {}, not {} of {}",
            state.serial, state.lineage, record.serial, record.lineage
        ))
        .hint("somebody applied it since: split it again"))
    }

    /// Puts one part into its back end. One that is there already, with the same content, stays.
    fn push(&self, part: &PartFile) -> Result<()> {
        let PartFile { path, stack, text } = part;
        let directory = self.stacks.join(stack);
        if !directory.is_dir() {
            return Err(Error::usage(format!("there is no {}", directory.display()))
                .hint("each stack needs a root module with its back end"));
        }
        let root = Root {
            program: self.program,
            directory: &directory,
            data: None,
            environment: self.environment,
        };
        root.init()?;
        let part = parse(path, text)?;
        if let Some(there) = root.pull()? {
            let there = parse(Path::new("the state in the back end"), &there)?;
            if there.lineage != part.lineage {
                return Err(Error::refused(format!(
                    "its back end holds a state of another lineage, with {}",
                    count(there.len(), "object")
                ))
                .hint("two stacks with one key? nothing was written"));
            }
            if diff(&part, &there).is_empty() {
                self.around.note(&format!("{stack}: it is there already"));
                return Ok(());
            }
            return Err(Error::refused("its back end holds another state of it")
                .hint("it was applied since it was pushed; nothing was written"));
        }
        root.push(&fs_err::canonicalize(path)?)
    }
}

/// Refuses an old root that declares what was moved: whatever its plan would not delete.
fn undeclared(source: &Root<'_>, state: &State<'_>, stays: Option<&State<'_>>) -> Result<()> {
    let staying: BTreeSet<String> = stays
        .into_iter()
        .flat_map(|stays| &stays.resources)
        .flat_map(|resource| {
            let instances = resource.instances.iter();
            instances.map(|instance| resource.address_of(instance).to_string())
        })
        .collect();
    let plan = source.plan(&["-refresh=false"])?;
    let deleted: BTreeSet<&str> = plan["resource_changes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|change| change["change"]["actions"] == serde_json::json!(["delete"]))
        .filter_map(|change| change["address"].as_str())
        .collect();
    let declared: Vec<String> = state
        .resources
        .iter()
        .filter(|resource| !resource.address().is_data)
        .flat_map(|resource| {
            let instances = resource.instances.iter();
            instances.map(|instance| resource.address_of(instance).to_string())
        })
        .filter(|address| !deleted.contains(address.as_str()) && !staying.contains(address))
        .collect();
    if declared.is_empty() {
        return Ok(());
    }
    let named: Vec<&str> = declared.iter().take(10).map(String::as_str).collect();
    Err(Error::refused(format!(
        "the old root still declares {} that were moved: {}{}",
        count(declared.len(), "object"),
        named.join(", "),
        if declared.len() > named.len() {
            ", …"
        } else {
            ""
        }
    ))
    .hint("take them out of its configuration: its next apply would make them a second time"))
}

impl Journal {
    fn read(directory: &Path) -> Result<Self> {
        let path = directory.join(JOURNAL);
        let text = match fs_err::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self {
                    version: 1,
                    ..Self::default()
                });
            }
            Err(error) => return Err(error.into()),
        };
        serde_json::from_str(&text).map_err(|error| {
            Error::from_error(Kind::No, &error)
                .context(format!("{} cannot be read", path.display()))
        })
    }

    fn write(&self, directory: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::from_error(Kind::Bug, &error))?;
        write_whole(&directory.join(JOURNAL), &format!("{text}\n"))
    }
}
