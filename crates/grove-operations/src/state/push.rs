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
//! use grove_operations::{consent::Consent, state::push};
//!
//! let places = push::Places {
//!     directory: Path::new("parts"),
//!     source: Path::new("infrastructure"),
//!     stacks: Path::new("stacks"),
//! };
//! let plan = push::plan(around, &push::Request::default(), places)?;
//! for need in plan.needs().iter() {
//!     println!("{}", need.refusal());
//! }
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    path::{Path, PathBuf},
};

use grove_state::{Record, STAYS, State, diff};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PartFile, back_end, parts, source::parse, split::digest, write_whole};
use crate::{
    Around, Doing, Error, Kind, Result,
    consent::{Consent, Need, Needs},
    place::Place,
    request::RequestId,
    requests::{Answer, Once},
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

/// Where everything is; relative paths begin at [`Around::directory`].
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The directory that [`super::split`] wrote.
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

/// What a request would do.
pub struct Plan<'a>(Once<'a, Ready<'a>, Outcome>);

struct Ready<'a> {
    around: &'a Around,
    found: Found,
    needs: Needs,
    record: Record,
    journal: Journal,
    step: Step,
}

/// [`Places`], found.
#[derive(Clone)]
struct Found {
    directory: Place,
    source: Place,
    stacks: Place,
}

/// What is still to be done.
enum Step {
    /// Nothing.
    Done,
    /// The last run ended between its last step and its last word.
    LastWord,
    /// Parts are pushed, then the combined state.
    Push {
        /// The digest of the combined state.
        combined: String,
        /// What stays in the combined state.
        stays: Option<PartFile>,
        /// Every other part.
        parts: Vec<(PartFile, Looked)>,
    },
}

/// What a look at the back end of a part gave.
enum Looked {
    /// It was pushed by a run before.
    Pushed,
    /// It is pushed; nothing must be agreed to where something is there, which stays as it is.
    Needs(Option<Need>),
    /// It cannot be looked at, nor pushed.
    Failed(Error),
}

/// Reads the parts, and every state that they are to replace: nothing is written, but that root modules are prepared
/// by `init`. Refused is a combined state that is not the one that was split, and an old root that still declares what
/// was moved.
pub fn plan<'a>(around: &'a Around, request: &Request, places: Places<'_>) -> Result<Plan<'a>> {
    let Places {
        directory,
        source,
        stacks,
    } = places;
    let (id, paths) = (request.id.as_ref(), [directory, source, stacks]);
    let said = (request, paths.map(Path::to_string_lossy));
    Once::plan(around, "state/push", id, &said, |_| {
        ready(around, request, places)
    })
    .map(Plan)
}

fn ready<'a>(around: &'a Around, request: &Request, places: Places<'_>) -> Result<Ready<'a>> {
    let place = |written| Place::of(around, written);
    let found = Found {
        directory: place(places.directory),
        source: place(places.source),
        stacks: place(places.stacks),
    };
    let looked = look(around, request, &found);
    looked.map_err(|error| found.named(error))
}

fn look<'a>(around: &'a Around, request: &Request, found: &Found) -> Result<Ready<'a>> {
    let program = program(around)?;
    let (record, texts) = parts(&found.directory)?;
    for (part, found) in record.parts.iter().zip(&texts) {
        if part.sha256 != digest(&found.text) {
            return Err(Error::refused(format!(
                "{} is not the file that was split off",
                found.path.display()
            ))
            .hint("split again: what was changed here has never been verified"));
        }
    }
    let journal = Journal::read(&found.directory)?;
    let (needs, step) = if journal.finished {
        around.note("everything was pushed already");
        (Needs::default(), Step::Done)
    } else {
        let environment = Environment::new(around);
        let work = Work {
            around,
            found,
            record: &record,
            program: &program,
            environment: &environment,
        };
        work.look(request, texts, &journal)?
    };
    Ok(Ready {
        around,
        found: found.clone(),
        needs,
        record,
        journal,
        step,
    })
}

impl Found {
    /// Errors name places as they were written.
    fn named(&self, error: Error) -> Error {
        let places = [&self.directory, &self.source, &self.stacks];
        places.iter().fold(error, |error, place| place.named(error))
    }
}

impl Plan<'_> {
    /// What must be agreed to: each state that is written, where, and the serial that it replaces.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// Pushes what is not in its back end yet, under the lock of the combined state's. Refused where one of the
    /// states moved since the plan was made.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0
            .carry_out(consent, |work, consent, _| work.carry_out(consent))
    }
}

impl Ready<'_> {
    fn carry_out(mut self, consent: &Consent) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        let step = mem::replace(&mut self.step, Step::Done);
        let pushed = self.push(step);
        pushed.map_err(|error| self.found.named(error))?;
        Ok(outcome(&self.record, self.journal))
    }

    fn push(&mut self, step: Step) -> Result<()> {
        match step {
            Step::Done => return Ok(()),
            Step::LastWord => {}
            Step::Push {
                combined,
                stays,
                parts,
            } => {
                let (program, environment) = (program(self.around)?, Environment::new(self.around));
                let work = Work {
                    around: self.around,
                    found: &self.found,
                    record: &self.record,
                    program: &program,
                    environment: &environment,
                };
                work.push_all(&combined, stays.as_ref(), parts, &mut self.journal)?;
            }
        }
        self.journal.finished = true;
        self.journal.write(&self.found.directory)
    }
}

/// What errors call the state of the old root.
const COMBINED: &str = "the combined state";

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
    found: &'a Found,
    record: &'a Record,
    program: &'a Path,
    environment: &'a Environment,
}

impl Work<'_> {
    /// Looks at every state that would be written.
    fn look(
        &self,
        request: &Request,
        texts: Vec<PartFile>,
        journal: &Journal,
    ) -> Result<(Needs, Step)> {
        let around = self.around;
        around.progress("looking at the combined state");
        let source = self.root(&self.found.source);
        source.init()?;
        let text = pull(&source)?;
        let state = parse(Path::new(COMBINED), &text)?;
        // What stays is no part that is pushed: it is what the combined state is in the end.
        let (mut stays, texts): (Vec<_>, Vec<_>) =
            texts.into_iter().partition(|part| part.stack == STAYS);
        let stays = stays.pop();
        let staying = stays
            .as_ref()
            .map(|part| parse(&part.path, &part.text))
            .transpose()?;
        let left = staying.as_ref().map_or(0, State::len);
        if journal.pushed.len() == texts.len()
            && state.lineage == self.record.lineage.as_str()
            && state.serial > self.record.serial
            && state.len() == left
        {
            around.progress_done();
            return Ok((Needs::default(), Step::LastWord));
        }
        self.same(&state)?;
        if !request.still_declared {
            around.progress("planning the old root");
            undeclared(&source, &state, staying.as_ref())?;
        }
        let mut needs = Needs::from_iter([Need::Push {
            stack: STAYS.to_owned(),
            back_end: back_end::of(around, &self.found.source),
            replaces: Some(state.serial),
            lineage: self.record.lineage.clone(),
            objects: left,
        }]);
        let mut parts = Vec::new();
        for part in texts {
            let looked = self.look_at(&part, journal);
            if let Looked::Needs(need) = &looked {
                needs.extend(need.clone());
            }
            parts.push((part, looked));
        }
        around.progress_done();
        let step = Step::Push {
            combined: digest(&text),
            stays,
            parts,
        };
        Ok((needs, step))
    }

    fn look_at(&self, part: &PartFile, journal: &Journal) -> Looked {
        let stack = &part.stack;
        if journal.pushed.contains_key(stack) {
            return Looked::Pushed;
        }
        self.around.doing(Doing::LookingAt { stack });
        let need = self.directory(part).and_then(|directory| {
            let root = self.root(&directory);
            root.init()?;
            Ok(match root.pull()? {
                Some(_) => None,
                None => Some(self.need(part, &directory)?),
            })
        });
        need.map_or_else(Looked::Failed, Looked::Needs)
    }

    /// What must be agreed to before a part is put where nothing is yet.
    fn need(&self, part: &PartFile, directory: &Path) -> Result<Need> {
        let state = parse(&part.path, &part.text)?;
        Ok(Need::Push {
            stack: part.stack.clone(),
            back_end: back_end::of(self.around, directory),
            replaces: None,
            lineage: state.lineage.to_string(),
            objects: state.len(),
        })
    }

    /// Pushes the parts, and what stays last.
    fn push_all(
        &self,
        combined: &str,
        stays: Option<&PartFile>,
        parts: Vec<(PartFile, Looked)>,
        journal: &mut Journal,
    ) -> Result<()> {
        let around = self.around;
        let source = self.root(&self.found.source);
        around.progress("locking the combined state");
        let lock = source.lock()?;
        let text = pull(&source)?;
        let state = parse(Path::new(COMBINED), &text)?;
        self.same(&state)?;
        if digest(&text) != combined {
            return Err(
                Error::refused("the combined state changed since it was looked at")
                    .hint("nothing was written; ask again"),
            );
        }
        write_whole(&self.found.directory.join(BACKUP), &text)?;
        let all = parts.len();
        for (part, looked) in parts {
            let stack = &part.stack;
            let agreed = match looked {
                Looked::Pushed => continue,
                Looked::Needs(need) => Ok(need),
                Looked::Failed(error) => Err(error),
            };
            around.progress(&format!("pushing {stack}"));
            let pushed = agreed.and_then(|agreed| self.push(&part, agreed.as_ref()));
            pushed.map_err(|error| {
                let done = journal.pushed.len();
                error
                    .context(format!("cannot push `{stack}`"))
                    .hint(format!(
                        "{done} of {} are in their back ends, the combined state is as it was; run it again, and it goes on from here",
                        count(all, "part")
                    ))
            })?;
            journal.pushed.insert(stack.clone(), digest(&part.text));
            journal.write(&self.found.directory)?;
        }
        // A push takes the lock by itself. Should somebody come in between, the back end refuses our serial.
        around.progress("taking what was moved out of the combined state");
        lock.release()?;
        let stays = stays
            .map(|part| parse(&part.path, &part.text))
            .transpose()?;
        let left = match stays {
            None => state.without_objects(&self.record.outputs_left),
            Some(stays) => state.with_what_stays(stays, &self.record.outputs_left),
        };
        let file = tempfile::NamedTempFile::new()?;
        fs_err::write(file.path(), left.to_text())?;
        source.push(file.path()).map_err(|error| {
            error.context("cannot take what was moved out of the combined state").hint(
                "every part is in its back end; nobody may apply the old root until this command has ended well",
            )
        })?;
        around.progress_done();
        Ok(())
    }

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

    fn root<'r>(&'r self, directory: &'r Path) -> Root<'r> {
        Root {
            program: self.program,
            directory,
            data: None,
            environment: self.environment,
        }
    }

    /// The directory of a stack's root module.
    fn directory(&self, part: &PartFile) -> Result<PathBuf> {
        let directory = self.found.stacks.join(&part.stack);
        if directory.is_dir() {
            return Ok(directory);
        }
        Err(Error::usage(format!("there is no {}", directory.display()))
            .hint("each stack needs a root module with its back end"))
    }

    /// Puts one part into its back end. One that is there already, with the same content, stays.
    fn push(&self, file: &PartFile, agreed: Option<&Need>) -> Result<()> {
        let PartFile { path, stack, text } = file;
        let directory = self.directory(file)?;
        let root = self.root(&directory);
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
        if agreed != Some(&self.need(file, &directory)?) {
            return Err(
                Error::refused("its back end changed since it was looked at")
                    .hint("nothing was written to it; ask again"),
            );
        }
        root.push(&fs_err::canonicalize(path)?)
    }
}

/// The combined state.
fn pull(source: &Root<'_>) -> Result<String> {
    source
        .pull()?
        .ok_or_else(|| Error::refused("the old root has no state"))
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
