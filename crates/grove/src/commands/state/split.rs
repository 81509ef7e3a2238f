//! `grove state split`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use grove_stack::module::{ModuleError, is_module_file};
use grove_state::{
    Allow, Part, Record, Rules, STAYS,
    configuration::{Called, Configuration, PartConfiguration, hoisted_calls},
};
use grove_yaml::LineIndex;
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{BUILT_IN, RECORD, STATE, new_private, parent, parse, read, verify, write_private};
use crate::{
    error::{CommandError, Exit, Result},
    output::{Output, count},
    surroundings,
    tofu::{Environment, Root, program},
    workspace::is_json,
};

/// Give every object of a combined state to a stack of its own.
///
/// Rules say which object belongs to which stack; what no rule claims stops the split, and then nothing
/// is written. Each part is `DIR/<stack>/terraform.tfstate`, with a lineage of its own, and `split.json`
/// says what came from where: `grove state join` undoes it. The state that is read stays as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Rules, of which the first that fits an object counts:\n\
    \x20         version: 1\n\
    \x20         rules:\n\
    \x20         - match: module.instances[\"{instance}\"]   # a module and all in it; `*` is any text\n\
    \x20           to: instances/{instance}                # the stack\n\
    \x20           as: module.instance                     # its address there; `.` is the root module\n\
    \x20         - match: module.mysql.mysql_user.users[\"{instance}\"]\n\
    \x20           to: instances/{instance}\n\
    \x20           as: mysql_user.user\n\
    \x20         - match: module.*\n\
    \x20           to: cluster\n\
    \x20         - match: aws_s3_bucket.state\n\
    \x20           to: .                                   # it stays where it is\n\
    \x20         - output: \"*\"                             # outputs of the root module\n\
    \x20           to: cluster\n\n\
    `where: {attributes: {name: text}}` asks for attributes; `names: {instance: [a, b]}` beside\n\
    `rules` says what a name may stand for.\n\n\
    Examples:\n\
    \x20 grove state split --from combined.tfstate --map rules.yaml --out parts\n\
    \x20 grove state split --root combined --map rules.yaml --out parts --stacks stacks --verify\n\
    \x20 grove state split --from - --map legacy-grove --name instance=uni,academy --out parts")]
pub(super) struct Arguments {
    /// The state's file; `-` for stdin.
    #[arg(long, value_name = "FILE", required_unless_present = "root")]
    from: Option<PathBuf>,
    /// The root module whose back end holds the state: it is read there, under the back end's own lock.
    #[arg(long, value_name = "DIR", conflicts_with = "from")]
    root: Option<PathBuf>,
    /// The rules' file, or `legacy-grove` for the rules that Grove carries.
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// What a `{name}` of the rules may stand for; can be given several times.
    #[arg(long = "name", value_name = "NAME=TEXT,…")]
    names: Vec<String>,
    /// Where the parts go: a directory that is not there yet.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A directory with a root module for each stack, to be copied beside its state.
    #[arg(long, value_name = "DIR")]
    stacks: Option<PathBuf>,
    /// The old root module: each part gets the module calls and resources that its objects are of, as
    /// they are written there, with variables for what other parts have, and the values of these.
    #[arg(long, value_name = "DIR", conflicts_with = "stacks")]
    config: Option<PathBuf>,
    /// Plan each part, and demand that nothing would change, as `grove state verify` does.
    #[arg(long)]
    verify: bool,
    /// The program that reads the back end and plans; default: `tofu`, else `terraform`.
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
    /// Move tainted and deposed objects too, as they are.
    #[arg(long)]
    unsettled: bool,
    /// Allow several objects of one type and one id.
    #[arg(long)]
    one_id: bool,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result {
    if arguments.verify && arguments.stacks.is_none() && arguments.config.is_none() {
        return Err(
            CommandError::usage("`--verify` needs the configuration of each part")
                .hint("say `--stacks DIR`, or `--config DIR` to take it from the old root"),
        );
    }
    if arguments.out.exists() {
        return Err(
            CommandError::usage(format!("{} is there already", arguments.out.display()))
                .hint("parts are written to a new directory, all of them or none"),
        );
    }
    let rules = rules(&arguments.map, &names(&arguments.names)?)?;
    let environment = Environment::default();
    let mut lock = None;
    let (named, text) = match (&arguments.from, &arguments.root) {
        (Some(file), _) => (file.clone(), read(file)?),
        (None, Some(directory)) => {
            let program = program(arguments.program.as_ref())?;
            let root = Root {
                program: &program,
                directory,
                data: None,
                environment: &environment,
            };
            root.init()?;
            lock = Some(root.lock()?);
            let text = root.pull()?.ok_or_else(|| {
                CommandError::usage(format!(
                    "the back end of {} has no state",
                    directory.display()
                ))
            })?;
            (directory.clone(), text)
        }
        (None, None) => return Err(CommandError::usage("say `--from FILE` or `--root DIR`")),
    };
    let state = parse(&named, &text)?;
    let allow = Allow {
        unsettled: arguments.unsettled,
        one_id: arguments.one_id,
    };
    let split = grove_state::split(state, &rules, allow)?;
    let mut record = split.record;

    // Written beside its place, and renamed once it is whole.
    let beside = tempfile::Builder::new()
        .prefix(".grove-split-")
        .tempdir_in(parent(&arguments.out))?;
    split
        .parts
        .par_iter()
        .zip(&mut record.parts)
        .try_for_each_init(String::new, |text, (part, known)| -> Result<()> {
            text.clear();
            part.state.write(text);
            known.sha256 = digest(text);
            let directory = beside.path().join(&part.stack);
            fs_err::create_dir_all(&directory)?;
            if let Some(stacks) = &arguments.stacks
                && part.stack != STAYS
            {
                copy(&stacks.join(&part.stack), &directory)?;
            }
            write_private(&directory.join(STATE), text)
        })?;
    if let Some(lock) = lock {
        lock.release()?;
    }
    if let Some(config) = &arguments.config {
        let program = program(arguments.program.as_ref())?;
        configure(
            config,
            &program,
            &split.parts,
            &record,
            beside.path(),
            &arguments.out,
            output,
        )?;
    }
    let mut file = BufWriter::new(new_private(&beside.path().join(RECORD))?);
    serde_json::to_writer_pretty(&mut file, &record).map_err(std::io::Error::from)?;
    file.write_all(b"\n")?;
    file.flush()?;
    drop(file);
    // Hundreds of files reach the disk together, before they are called by their name.
    let directory = fs_err::File::open(beside.path())?;
    let (synced, ()) = rayon::join(|| nix::unistd::syncfs(&directory), || drop(split.parts));
    synced.map_err(std::io::Error::from)?;
    fs_err::rename(beside.path(), &arguments.out)?;
    // It is no temporary directory any more.
    let _renamed = beside.keep();

    if !is_json(output) {
        output.print(&report(&record))?;
    } else if !arguments.verify {
        output.json(&record)?;
    }
    if arguments.verify {
        return verify::plan_all(&arguments.out, arguments.program.as_ref(), output);
    }
    Ok(Exit::Done)
}

/// Writes the configuration of each part, taken from the old root, and the values of its variables.
fn configure(
    config: &Path,
    program: &Path,
    parts: &[Part<'_>],
    record: &Record,
    beside: &Path,
    out: &Path,
    output: &Output,
) -> Result<()> {
    let files = module_files(config)?;
    let configuration = Configuration::read(texts(&files)).map_err(unreadable(config))?;
    let environment = Environment::default();
    let old = Root {
        program,
        directory: config,
        data: None,
        environment: &environment,
    };
    old.init()?;
    let modules = modules(config)?;
    let made: Vec<PartConfiguration> = parts
        .iter()
        .zip(&record.parts)
        .map(|(part, known)| {
            let place = out.join(&part.stack);
            let mut called = BTreeMap::new();
            for name in hoisted_calls(part, known) {
                if let Some(directory) = modules.get(&name) {
                    let files = module_files(directory)?;
                    let read = Called::read(texts(&files), way(&place, directory));
                    called.insert(name, read.map_err(unreadable(directory))?);
                }
            }
            Ok(configuration.part(part, known, &way(&place, config), &called))
        })
        .collect::<Result<_>>()?;
    let expressions: BTreeSet<&str> = made
        .iter()
        .flat_map(|made| made.variables.values().map(String::as_str))
        .collect();
    let expressions: Vec<&str> = expressions.into_iter().collect();
    let values = if expressions.is_empty() {
        Vec::new()
    } else {
        output.progress("asking the old root for what parts have from each other");
        let values = old.evaluate(&expressions);
        output.progress_done();
        values?
    };
    let values: BTreeMap<&str, &serde_json::Value> = expressions.into_iter().zip(&values).collect();
    for (part, made) in parts.iter().zip(&made) {
        if part.stack == STAYS {
            // The old root goes on without what was moved.
            continue;
        }
        let directory = beside.join(&part.stack);
        if let Some(module) = made.hoisted.as_ref().and_then(|call| modules.get(call)) {
            copy(module, &directory)?;
            leave_values_out(&directory)?;
        }
        for (name, text) in &made.files {
            fs_err::write(directory.join(name), text)?;
        }
        let own: serde_json::Map<String, serde_json::Value> = made
            .variables
            .iter()
            .filter_map(|(name, text)| Some((name.clone(), (*values.get(text.as_str())?).clone())))
            .collect();
        if !own.is_empty() {
            let text = serde_json::to_string_pretty(&own)
                .map_err(|error| CommandError::from_error(Exit::Bug, &error))?;
            // It may hold what the state holds.
            write_private(
                &directory.join("terraform.tfvars.json"),
                &format!("{text}\n"),
            )?;
        }
        for line in &made.left {
            output.warn(&format!("{}: {line}", part.stack));
        }
    }
    let all = Root {
        directory: beside,
        ..old
    };
    all.run(&["fmt", "-recursive"]).map(drop)
}

/// Takes away values that a called module's directory had beside it: they would be a root module's.
fn leave_values_out(directory: &Path) -> Result<()> {
    for entry in fs_err::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".tfvars") || name.ends_with(".tfvars.json") {
            fs_err::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The files of a module in native syntax, by name.
fn module_files(directory: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for entry in fs_err::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_module_file(&name) && path.extension() != Some("json".as_ref()) {
            files.insert(name.into_owned(), fs_err::read_to_string(&path)?);
        }
    }
    Ok(files)
}

fn texts(files: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
}

fn unreadable(directory: &Path) -> impl Fn(ModuleError) -> CommandError {
    move |error| {
        let file = directory.join(&error.place.file);
        CommandError::from_error(Exit::No, &error)
            .context(format!("{} cannot be read", file.display()))
    }
}

/// Where `init` has put the modules that a root calls, by the names of their calls.
fn modules(root: &Path) -> Result<BTreeMap<String, PathBuf>> {
    // <https://github.com/opentofu/opentofu/blob/v1.10.10/internal/modsdir/manifest.go>
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Manifest {
        modules: Vec<Entry>,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Entry {
        key: String,
        dir: PathBuf,
    }
    let data = surroundings::variable("TF_DATA_DIR").unwrap_or_else(|| ".terraform".into());
    let text = match fs_err::read_to_string(root.join(data).join("modules/modules.json")) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let manifest: Manifest = serde_json::from_str(&text)
        .map_err(|error| CommandError::from_error(Exit::Tool, &error))?;
    let entries = manifest.modules.into_iter();
    Ok(entries
        .map(|entry| (entry.key, root.join(entry.dir)))
        .collect())
}

/// The way from one directory, which is not there yet, to another.
fn way(from: &Path, to: &Path) -> String {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (from, to) = (absolute(from), absolute(to));
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), to.components().collect());
    let common = from
        .iter()
        .zip(&to)
        .take_while(|(one, other)| one == other)
        .count();
    let up = from[common..].iter().map(|_| "..".to_owned());
    let down = to[common..]
        .iter()
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// Copies a root module, without what the program keeps beside it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if text == ".terraform" || text.contains(".tfstate") {
            continue;
        }
        let target = to.join(&name);
        if entry.file_type()?.is_dir() {
            fs_err::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            fs_err::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// `sha256:` and the digest of a file's text.
pub(super) fn digest(text: &str) -> String {
    format!("sha256:{:x}", Sha256::digest(text.as_bytes()))
}

/// What names may stand for.
type Names = BTreeMap<String, BTreeSet<String>>;

fn names(stated: &[String]) -> Result<Names> {
    let mut names = Names::new();
    for text in stated {
        let (name, texts) = text
            .split_once('=')
            .ok_or_else(|| CommandError::usage(format!("`{text}` is not `NAME=TEXT,…`")))?;
        let texts = texts.split(',').filter(|text| !text.is_empty());
        let known = names.entry(name.to_owned()).or_default();
        known.extend(texts.map(str::to_owned));
    }
    Ok(names)
}

fn rules(path: &Path, names: &Names) -> Result<Rules> {
    let text = if path == Path::new(BUILT_IN) {
        grove_state::LEGACY.to_owned()
    } else {
        fs_err::read_to_string(path)
            .map_err(|error| CommandError::from_error(Exit::Usage, &error))?
    };
    let index = LineIndex::new(&text);
    Rules::parse(&text, names).map_err(|error| match error {
        grove_state::Error::Rules(problems) => {
            let lines = problems.iter().map(|problem| {
                let position = index.position(problem.span.start);
                format!(
                    "{}:{}:{}: {}",
                    path.display(),
                    position.line,
                    position.column,
                    problem.message
                )
            });
            let mut error = CommandError::new(Exit::No, "the rules cannot be used")
                .hint("`grove state split --help` shows rules");
            error.messages.extend(lines);
            error
        }
        other => other.into(),
    })
}

fn report(record: &Record) -> String {
    let width = record
        .parts
        .iter()
        .map(|part| part.stack.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for part in &record.parts {
        let mut line = format!("{:<width$}  {}", part.stack, count(part.objects, "object"));
        let needs: BTreeSet<&String> = part
            .crossings
            .iter()
            .flat_map(|crossing| &crossing.stacks)
            .collect();
        if part.stack == STAYS {
            line += ", which stay in the combined state";
        }
        if !needs.is_empty() {
            let needs: Vec<&str> = needs.into_iter().map(String::as_str).collect();
            line = format!("{line}, needs inputs from {}", needs.join(", "));
        }
        text.push_str(&line);
        text.push('\n');
    }
    let all: usize = record.parts.iter().map(|part| part.objects).sum();
    let _written = writeln!(
        text,
        "{all} of {} in {}",
        count(record.objects, "object"),
        count(record.parts.len(), "part")
    );
    if !record.outputs_left.is_empty() {
        let _written = writeln!(
            text,
            "outputs that no rule claims, in no part: {}",
            record.outputs_left.join(", ")
        );
    }
    text
}
