//! Stacks: what `stacks` says, the operator's own files, and what was given.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex},
};

use grove_stack::{
    backend::{Backend, Storage},
    catalog,
    module::{Module, ModuleError, Place, is_module_file},
    outputs::Outputs,
    root::LOCK_FILE,
    stack::{Address, Input, Source, Stack},
};
use grove_yaml::Node;
use rayon::prelude::*;
use serde_json::{Map, Value};

use super::references::reference;
use crate::{Fleet, documents::Documents, layer, layout::Kind, links};

/// The region that S3 servers other than Amazon's are content with.
const REGION: &str = "us-east-1";

/// Every stack of a fleet whose clusters and instances are read.
///
/// A directory `stacks/<name>` with a module's files is a stack, with or without an entry in `stacks`;
/// an entry alone is one that the provider has, or one whose outputs are stated. What is neither is left
/// out: a rule says so.
pub(super) fn read(documents: &Documents, fleet: &Fleet) -> BTreeMap<Address, Stack> {
    let mut stated: BTreeMap<Address, Map<String, Value>> = BTreeMap::new();
    for document in documents.files.values() {
        match &document.kind {
            Kind::Cluster(cluster) => {
                let stacks = document.root.as_ref().and_then(|root| root.get("stacks"));
                let stacks = stacks.map(Node::to_json);
                for (name, entry) in entries(stacks) {
                    stated.insert(Address::of_cluster(cluster, &name), entry);
                }
            }
            Kind::Instance(address) => {
                let merged = layer::merge(documents, address);
                let stacks = merged.as_ref().and_then(|merged| merged.get("stacks"));
                let stacks = stacks.map(layer::Merged::to_json);
                for (name, entry) in entries(stacks) {
                    let stack = Address::of_instance(&address.cluster, &address.instance, &name);
                    stated.insert(stack, entry);
                }
            }
            Kind::Stack(address) => {
                let rest = document.path.strip_prefix(&address.directory());
                let name = rest.map(|rest| rest.trim_start_matches('/'));
                let is_own = name.is_some_and(|name| !name.contains('/') && is_module_file(name));
                if is_own {
                    stated.entry(address.clone()).or_default();
                }
            }
            _ => {}
        }
    }
    let modules = Modules::default();
    stated
        .into_par_iter()
        .filter_map(|(address, entry)| {
            let stack = stack(documents, fleet, &modules, &address, &entry)?;
            Some((address, stack))
        })
        .collect()
}

/// The entries of `stacks` that are maps; `null` stands for an empty one.
fn entries(stacks: Option<Value>) -> impl Iterator<Item = (String, Map<String, Value>)> {
    let map = match stacks {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    map.into_iter().filter_map(|(name, entry)| match entry {
        Value::Object(entry) => Some((name, entry)),
        Value::Null => Some((name, Map::new())),
        _ => None,
    })
}

/// Modules by their files: stacks of many instances are often copies of one, which is read once.
#[derive(Default)]
struct Modules<'a> {
    hashing: RandomState,
    /// By the hash of their files, which is made before anybody waits.
    known: Mutex<HashMap<u64, Vec<Known<'a>>>>,
}

type Known<'a> = (Files<'a>, Arc<Read>);
/// The files right in a module's directory, by name.
type Files<'a> = Vec<(&'a str, &'a [u8])>;
type Read = Result<Module, ModuleError>;

impl<'a> Modules<'a> {
    /// The module that files right in `directory` make.
    fn read(&self, documents: &'a Documents, directory: &str) -> Read {
        let files: Files<'a> = below(documents, directory)
            .filter_map(|(path, bytes)| {
                let name = path.strip_prefix(directory)?.strip_prefix('/')?;
                (!name.contains('/')).then_some((name, bytes))
            })
            .collect();
        let hash = self.hashing.hash_one(&files);
        let known = || {
            let modules = self.known.lock().ok()?;
            let mut same = modules.get(&hash)?.iter();
            same.find(|(known, _)| *known == files)
                .map(|(_, read)| Arc::clone(read))
        };
        let read = known().unwrap_or_else(|| {
            let read = Arc::new(Module::read(files.iter().copied()));
            if let Ok(mut modules) = self.known.lock() {
                let same = modules.entry(hash).or_default();
                same.push((files, Arc::clone(&read)));
            }
            read
        });
        match &*read {
            Ok(module) => Ok(module.clone().within(directory)),
            Err(error) => Err(error.clone().within(directory)),
        }
    }
}

fn stack<'a>(
    documents: &'a Documents,
    fleet: &Fleet,
    modules: &Modules<'a>,
    address: &Address,
    entry: &Map<String, Value>,
) -> Option<Stack> {
    let cluster = fleet.clusters.get(&address.cluster)?;
    let inputs = |key: &str| -> BTreeMap<String, Input> {
        let map = entry.get(key).and_then(Value::as_object);
        map.into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), input(value)))
            .collect()
    };
    let (source, problem) = source(documents, modules, &cluster.provider, address, || {
        inputs("outputs")
    })?;
    let mut credentials = cluster.credentials.clone();
    for (name, secret) in entry
        .get("credentials")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        if let Some(secret) = secret.as_str() {
            credentials.insert(name.clone(), secret.to_owned());
        }
    }
    Some(Stack {
        inputs: inputs("inputs"),
        credentials,
        key: entry.get("key").and_then(Value::as_str).map(str::to_owned),
        source,
        problem,
        lock: documents
            .get(&format!("{}/{LOCK_FILE}", address.directory()))
            .map(|document| document.bytes.clone()),
        outputs: documents
            .get(&address.outputs_file())
            .and_then(|document| Outputs::parse(&document.bytes, &address.to_string()).ok()),
        address: address.clone(),
    })
}

/// What a stack is made of: own files come before the provider's, and both before stated outputs.
fn source<'a>(
    documents: &'a Documents,
    modules: &Modules<'a>,
    provider: &str,
    address: &Address,
    outputs: impl FnOnce() -> BTreeMap<String, Input>,
) -> Option<(Source, Option<ModuleError>)> {
    let directory = address.directory();
    let own = own_files(documents, &directory);
    let is_right_in = |path: &str| !path[directory.len() + 1..].contains('/');
    if own
        .keys()
        .any(|path| is_right_in(path) && is_module_file(path))
    {
        let (module, files, problem) = own_module(documents, modules, &directory, own);
        let source = Source::Module {
            module,
            files,
            is_generated: false,
        };
        return Some((source, problem));
    }
    if let Some(files) = catalog::files(provider, address.instance.is_some(), &address.stack) {
        let files: BTreeMap<&str, &[u8]> = files.collect();
        let module = Module::read(files.iter().map(|(name, bytes)| (*name, *bytes)));
        let source = Source::Module {
            module: module.clone().unwrap_or_default(),
            files: files
                .into_iter()
                .map(|(name, bytes)| (format!("{directory}/{name}"), Arc::from(bytes)))
                .collect(),
            is_generated: true,
        };
        return Some((source, module.err()));
    }
    let outputs = outputs();
    (!outputs.is_empty()).then_some((Source::Stated(outputs), None))
}

/// Every file below a directory, by path.
fn own_files(documents: &Documents, directory: &str) -> BTreeMap<String, Arc<[u8]>> {
    let files = documents.files.range(format!("{directory}/")..);
    files
        .take_while(|(path, _)| is_below(path, directory))
        .map(|(path, document)| (path.clone(), document.bytes.clone()))
        .filter(|(path, _)| !path.ends_with(LOCK_FILE))
        .collect()
}

/// The same, borrowed.
fn below<'a>(
    documents: &'a Documents,
    directory: &str,
) -> impl Iterator<Item = (&'a str, &'a [u8])> {
    let files = documents.files.range(format!("{directory}/")..);
    files
        .take_while(move |(path, _)| is_below(path, directory))
        .map(|(path, document)| (path.as_str(), &*document.bytes))
        .filter(|(path, _)| !path.ends_with(LOCK_FILE))
}

fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// A root module with every local module that it calls, and those that these call.
fn own_module<'a>(
    documents: &'a Documents,
    modules: &Modules<'a>,
    directory: &str,
    own: BTreeMap<String, Arc<[u8]>>,
) -> (Module, BTreeMap<String, Arc<[u8]>>, Option<ModuleError>) {
    // What is in directories below is data, or a module of its own.
    let root = modules.read(documents, directory);
    let (module, mut problem) = match root {
        Ok(module) => (module, None),
        Err(error) => (Module::default(), Some(error)),
    };
    let mut all = own;
    let mut seen = BTreeSet::from([directory.to_owned()]);
    let mut open: Vec<(String, String, Place)> = calls(directory, &module);
    while let Some((from, source, place)) = open.pop() {
        let found = links::join(&from, &source);
        let files = found.as_ref().map(|found| own_files(documents, found));
        let (Some(found), Some(files)) = (found, files.filter(|files| !files.is_empty())) else {
            problem.get_or_insert(ModuleError {
                message: format!("the fleet has no module at `{source}`: local ones are below `modules/` or the stack's own directory"),
                place,
            });
            continue;
        };
        if !seen.insert(found.clone()) {
            continue;
        }
        match modules.read(documents, &found) {
            Ok(module) => open.extend(calls(&found, &module)),
            Err(error) => {
                problem.get_or_insert(error);
            }
        }
        all.extend(files);
    }
    (module, all, problem)
}

/// Local modules that a module in `directory` calls.
fn calls(directory: &str, module: &Module) -> Vec<(String, String, Place)> {
    let sources = module.calls.values().filter_map(|call| {
        let source = call.source.as_ref()?;
        let is_local = source.starts_with("./") || source.starts_with("../");
        is_local.then(|| (directory.to_owned(), source.clone(), call.place.clone()))
    });
    sources.collect()
}

/// The value of an input, or where it comes from.
fn input(value: &Value) -> Input {
    if let Some(reference) = reference(value) {
        return Input::Output(reference);
    }
    let map = value.as_object().filter(|map| map.len() == 1);
    match map.and_then(|map| map.get("secret")?.as_str()) {
        Some(name) => Input::Secret(name.to_owned()),
        None => Input::Value(value.clone()),
    }
}

/// Reads `state`; none where it lacks what its back end needs.
pub(super) fn storage(node: &Node) -> Option<Storage> {
    let text = |key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    let backend = match node.get("backend")?.as_str()? {
        "local" => Backend::Local {
            path: text("path")?,
        },
        "s3" => Backend::S3 {
            bucket: text("bucket")?,
            region: text("region").unwrap_or_else(|| REGION.to_owned()),
            endpoint: text("endpoint"),
        },
        "pg" => Backend::Postgres,
        "gitlab" => Backend::Gitlab {
            project: text("project")?,
        },
        _ => return None,
    };
    let encryption = match node.get("encryption") {
        None => None,
        Some(encryption) => Some(encryption.get("secret")?.as_str()?.to_owned()),
    };
    Some(Storage {
        backend,
        encryption,
    })
}
