//! `grove state push`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use grove_state::{Record, STAYS, State, diff};
use serde::{Deserialize, Serialize};

use super::{join::parts, parse, split::digest, write_whole};
use crate::{
    error::{CommandError, Exit, Result},
    output::{Output, count},
    tofu::{Environment, Root, program},
    workspace::is_json,
};

/// Put the parts of a split into their back ends.
///
/// Then their objects are taken out of the combined state. Each stack needs a root module with its back end, at `STACKS/<stack>`; the old root must no longer
/// declare what was moved. The old root is locked, its state kept in `DIR/combined.tfstate`, the parts
/// are pushed first and the combined state last. Whatever goes wrong on the way, the same command goes
/// on from there: until the last step the combined state is as it was.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove state push parts --source combined --stacks stacks")]
pub(super) struct Arguments {
    /// The directory that `grove state split` wrote.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The old root module, whose back end holds the combined state.
    #[arg(long, value_name = "ROOT")]
    source: PathBuf,
    /// The directory with a root module for each stack.
    #[arg(long)]
    stacks: PathBuf,
    /// Push although the old root still declares what was moved: its next apply would make it anew.
    #[arg(long)]
    still_declared: bool,
    /// The program to use; default: `tofu`, else `terraform`.
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
}

/// What was done, written after each step.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Journal {
    version: u32,
    /// Stack → digest of the file that is in its back end.
    pushed: BTreeMap<String, String>,
    /// Whether the combined state is without what was moved.
    finished: bool,
}

/// The journal's name, beside the record.
const JOURNAL: &str = "push.json";
/// The name of the copy of the combined state.
const BACKUP: &str = "combined.tfstate";

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result {
    let program = program(arguments.program.as_ref())?;
    let (record, texts) = parts(&arguments.directory)?;
    for (part, (path, _, text)) in record.parts.iter().zip(&texts) {
        if part.sha256 != digest(text) {
            return Err(CommandError::refused(format!(
                "{} is not the file that was split off",
                path.display()
            ))
            .hint("split again: what was changed here has never been verified"));
        }
    }
    let mut journal = Journal::read(&arguments.directory)?;
    if journal.finished {
        output.note("everything was pushed already");
        return report(&record, &journal, output);
    }
    let source = Root {
        program: &program,
        directory: &arguments.source,
        data: None,
        environment: &Environment::default(),
    };
    let work = Work {
        arguments,
        record: &record,
        program: &program,
        output,
    };
    output.progress("locking the combined state");
    source.init()?;
    let lock = source.lock()?;
    let text = source
        .pull()?
        .ok_or_else(|| CommandError::refused("the old root has no state"))?;
    let state = parse(Path::new("the combined state"), &text)?;
    // What stays is no part that is pushed: it is what the combined state is in the end.
    let (stays, texts): (Vec<_>, Vec<_>) =
        texts.into_iter().partition(|(_, stack, _)| stack == STAYS);
    let stays = stays
        .first()
        .map(|(path, _, text)| parse(path, text))
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
        journal.write(&arguments.directory)?;
        output.progress_done();
        return report(&record, &journal, output);
    }
    work.same(&state)?;
    if !arguments.still_declared {
        output.progress("planning the old root");
        undeclared(&source, &state, stays.as_ref())?;
    }
    write_whole(&arguments.directory.join(BACKUP), &text)?;
    for (path, stack, text) in &texts {
        if journal.pushed.contains_key(stack) {
            continue;
        }
        output.progress(&format!("pushing {stack}"));
        work.push(path, stack, text).map_err(|error| {
            let done = journal.pushed.len();
            error
                .context(format!("cannot push `{stack}`"))
                .hint(format!(
                    "{done} of {} are in their back ends, the combined state is as it was; run it again, and it goes on from here",
                    count(texts.len(), "part")
                ))
        })?;
        journal.pushed.insert(stack.clone(), digest(text));
        journal.write(&arguments.directory)?;
    }
    // A push takes the lock by itself. Should somebody come in between, the back end refuses our serial.
    output.progress("taking what was moved out of the combined state");
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
    journal.write(&arguments.directory)?;
    output.progress_done();
    report(&record, &journal, output)
}

fn report(record: &Record, journal: &Journal, output: &Output) -> Result {
    let moved = record.parts.iter().filter(|part| part.stack != STAYS);
    let moved: Vec<_> = moved.collect();
    if is_json(output) {
        output.json(journal)?;
    } else {
        output.print(&format!(
            "{} of {} in {}; the combined state has none of them any more\n",
            count(moved.iter().map(|part| part.objects).sum(), "object"),
            count(moved.len(), "part"),
            count(journal.pushed.len(), "back end"),
        ))?;
    }
    Ok(Exit::Done)
}

/// What is pushed, and with what.
struct Work<'a> {
    arguments: &'a Arguments,
    record: &'a Record,
    program: &'a Path,
    output: &'a Output,
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
        Err(CommandError::refused(format!(
            "the combined state is not the one that was split: serial {} of lineage {}, not {} of {}",
            state.serial, state.lineage, record.serial, record.lineage
        ))
        .hint("somebody applied it since: split it again"))
    }

    /// Puts one part into its back end. One that is there already, with the same content, stays.
    fn push(&self, path: &Path, stack: &str, text: &str) -> Result<()> {
        let directory = self.arguments.stacks.join(stack);
        if !directory.is_dir() {
            return Err(
                CommandError::usage(format!("there is no {}", directory.display()))
                    .hint("each stack needs a root module with its back end"),
            );
        }
        let root = Root {
            program: self.program,
            directory: &directory,
            data: None,
            environment: &Environment::default(),
        };
        root.init()?;
        let part = parse(path, text)?;
        if let Some(there) = root.pull()? {
            let there = parse(Path::new("the state in the back end"), &there)?;
            if there.lineage != part.lineage {
                return Err(CommandError::refused(format!(
                    "its back end holds a state of another lineage, with {}",
                    count(there.len(), "object")
                ))
                .hint("two stacks with one key? nothing was written"));
            }
            if diff(&part, &there).is_empty() {
                self.output.note(&format!("{stack}: it is there already"));
                return Ok(());
            }
            return Err(
                CommandError::refused("its back end holds another state of it")
                    .hint("it was applied since it was pushed; nothing was written"),
            );
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
    Err(CommandError::refused(format!(
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
            CommandError::from_error(Exit::No, &error)
                .context(format!("{} cannot be read", path.display()))
        })
    }

    fn write(&self, directory: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| CommandError::from_error(Exit::Bug, &error))?;
        write_whole(&directory.join(JOURNAL), &format!("{text}\n"))
    }
}
