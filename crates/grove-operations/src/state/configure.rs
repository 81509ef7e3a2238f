//! The configuration of each part of a split, taken from the old root.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use grove_stack::module::{ModuleError, is_module_file};
use grove_state::{
    Part, Record, STAYS,
    configuration::{Called, Configuration, PartConfiguration, hoisted_calls},
};

use super::{back_end, write_private};
use crate::{Around, Error, Kind, Result, stacks::tofu::Root};

/// The configuration of one part.
pub(super) struct Configured {
    stack: String,
    /// The called module whose files become the part's own.
    module: Option<PathBuf>,
    /// Text by file name.
    files: BTreeMap<String, String>,
    /// The values of its variables, which may be what the state holds.
    values: Option<String>,
}

/// The configuration of each part, taken from the old root, and the values of its variables. What cannot be taken
/// is warned of. `out` is where the parts will be.
pub(super) fn configure(
    around: &Around,
    old: &Root<'_>,
    parts: &[Part<'_>],
    record: &Record,
    out: &Path,
) -> Result<Vec<Configured>> {
    let config = old.directory;
    let files = module_files(config)?;
    let configuration = Configuration::read(texts(&files)).map_err(unreadable(config))?;
    old.init()?;
    let modules = modules(around, config)?;
    let made: Vec<PartConfiguration> = parts
        .iter()
        .zip(&record.parts)
        .map(|(part, known)| {
            let place = out.join(&part.stack);
            let mut called = BTreeMap::new();
            for name in hoisted_calls(part, known) {
                if let Some(directory) = modules.get(&name) {
                    let files = module_files(directory)?;
                    let read = Called::read(texts(&files), way(around, &place, directory));
                    called.insert(name, read.map_err(unreadable(directory))?);
                }
            }
            Ok(configuration.part(part, known, &way(around, &place, config), &called))
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
        around.progress("asking the old root for what parts have from each other");
        let values = old.evaluate(&expressions);
        around.progress_done();
        values?
    };
    let values: BTreeMap<&str, &serde_json::Value> = expressions.into_iter().zip(&values).collect();
    let mut configured = Vec::new();
    for (part, made) in parts.iter().zip(&made) {
        if part.stack == STAYS {
            // The old root goes on without what was moved.
            continue;
        }
        let own: serde_json::Map<String, serde_json::Value> = made
            .variables
            .iter()
            .filter_map(|(name, text)| Some((name.clone(), (*values.get(text.as_str())?).clone())))
            .collect();
        let text = serde_json::to_string_pretty(&own)
            .map_err(|error| Error::from_error(Kind::Bug, &error))?;
        for line in &made.left {
            around.warn(&format!("{}: {line}", part.stack));
        }
        configured.push(Configured {
            stack: part.stack.clone(),
            module: made
                .hoisted
                .as_ref()
                .and_then(|call| modules.get(call).cloned()),
            files: made.files.clone(),
            values: (!own.is_empty()).then(|| format!("{text}\n")),
        });
    }
    Ok(configured)
}

impl Configured {
    /// Writes it into the directory of its part, below `parts`.
    pub(super) fn write(&self, parts: &Path) -> Result<()> {
        let directory = parts.join(&self.stack);
        if let Some(module) = &self.module {
            copy(module, &directory)?;
            leave_values_out(&directory)?;
        }
        for (name, text) in &self.files {
            fs_err::write(directory.join(name), text)?;
        }
        match &self.values {
            Some(text) => write_private(&directory.join("terraform.tfvars.json"), text),
            None => Ok(()),
        }
    }
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

fn unreadable(directory: &Path) -> impl Fn(ModuleError) -> Error {
    move |error| {
        let file = directory.join(&error.place.file);
        Error::from_error(Kind::No, &error).context(format!("{} cannot be read", file.display()))
    }
}

/// Where `init` has put the modules that a root calls, by the names of their calls.
fn modules(around: &Around, root: &Path) -> Result<BTreeMap<String, PathBuf>> {
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
    let file = back_end::data(around, root).join("modules/modules.json");
    let text = match fs_err::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|error| Error::from_error(Kind::Tool, &error))?;
    let entries = manifest.modules.into_iter();
    Ok(entries
        .map(|entry| (entry.key, root.join(entry.dir)))
        .collect())
}

/// The way from one directory, which is not there yet, to another.
fn way(around: &Around, from: &Path, to: &Path) -> String {
    let absolute = |path: &Path| {
        let path = around.directory.join(path);
        std::path::absolute(&path).unwrap_or(path)
    };
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
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
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
