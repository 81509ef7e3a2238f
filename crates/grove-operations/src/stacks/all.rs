//! The fleet's stacks as operations work on them: their root modules, their environment, their outputs.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use grove_fleet::{
    Address as InstanceAddress, Documents, Fleet,
    load::{self, output_secrets},
    model::SecretReference,
};
use grove_seal::Secret;
use grove_stack::{
    Graph,
    outputs::Outputs,
    root::{self, Blocked, Root, SecretInput, Surroundings},
    stack::{Address, Stack},
};
use grove_watch::StackRow;
use serde_json::{Value, json};

use super::{
    standing::Standing,
    tofu::{self, Environment},
    work,
};
use crate::{Around, Error, Kind, Result, fleet::workspace::Workspace, secrets::open::Secrets};

/// A rule that a command can mend, or step over: a stack whose outputs cannot be read has none.
const MENDED: &str = "outputs-unreadable";

/// The stacks of a fleet.
pub struct Stacks<'a> {
    /// The fleet's files.
    pub workspace: Workspace<'a>,
    /// The fleet, which has no finding of severity error.
    pub fleet: Fleet,
    /// What plans and applies; none where nothing is run.
    program: Option<PathBuf>,
    /// The fleet's files, read when a sensitive output is first asked for.
    documents: OnceLock<Documents>,
    /// Sensitive outputs that were given while this ran.
    given: BTreeMap<(Address, String), Secret>,
    /// Where work directories are.
    pub directory: PathBuf,
}

impl<'a> Stacks<'a> {
    /// The stacks of the fleet, which must have no finding of severity error; of its work tree, or at a
    /// revision. Nothing can be run.
    pub fn read(around: &'a Around, revision: Option<&str>) -> Result<Self> {
        let workspace = Workspace::open(around, revision)?;
        let mut checked = workspace.check();
        checked.findings.retain(|finding| finding.rule != MENDED);
        let fleet = workspace.sound_of(checked)?;
        Ok(Self {
            directory: work::directory(around.cache_directory()?, &fleet.name, &workspace.root)?,
            workspace,
            fleet,
            program: None,
            documents: OnceLock::new(),
            given: BTreeMap::new(),
        })
    }

    /// Like [`Self::read`], with the program that works on them.
    pub fn open(around: &'a Around, revision: Option<&str>) -> Result<Self> {
        let mut stacks = Self::read(around, revision)?;
        stacks.program = Some(tofu::program(around)?);
        Ok(stacks)
    }

    /// The program that works on them.
    pub fn program(&self) -> Result<&Path> {
        self.program
            .as_deref()
            .ok_or_else(|| Error::new(Kind::Bug, "stacks that were only read cannot be run"))
    }

    /// Who reads whose outputs.
    pub fn graph(&self) -> Graph {
        Graph::new(&self.fleet.stacks)
    }

    /// Some stacks in levels, each of which reads only from those before; a circle is a finding, so that
    /// there is none in a sound fleet.
    pub fn levels(&self, selected: &[Address]) -> Result<Vec<Vec<Address>>> {
        let graph = self.graph();
        let levels = graph
            .levels(&selected.iter().collect())
            .map_err(|_| Error::new(Kind::Bug, "a checked fleet has a circle of stacks"))?;
        let owned = levels.into_iter();
        Ok(owned
            .map(|level| level.into_iter().cloned().collect())
            .collect())
    }

    /// A stack, by its address.
    pub fn get(&self, address: &Address) -> Result<&Stack> {
        self.fleet
            .stacks
            .get(address)
            .ok_or_else(|| Error::new(Kind::Bug, format!("the fleet has no stack `{address}`")))
    }

    /// The root module of a stack, or what it waits for.
    pub fn root(&self, stack: &Stack) -> Result<std::result::Result<Root, Blocked>> {
        root_of(&self.fleet, stack)
    }

    /// Like [`Self::root`], where what it waits for is an error.
    pub fn runnable(&self, address: &Address) -> Result<Root> {
        let root = self.root(self.get(address)?)?;
        root.map_err(|blocked| blocked_error(address, &blocked))
    }

    /// What the program finds in its environment for a stack: the only place where its secrets are opened.
    pub fn environment(&self, address: &Address, root: &Root) -> Result<Environment> {
        let secrets = Secrets::new(&self.workspace, &self.fleet);
        let stack = self.get(address)?;
        let cluster = self.fleet.clusters.get(&address.cluster);
        let cluster = cluster.ok_or_else(|| missing("a cluster"))?;
        let mut variables = Vec::new();
        for (variable, name) in &stack.credentials {
            variables.push((variable.clone(), value(&secrets, &cluster.secrets, name)?));
        }
        for (variable, from) in &root.secret {
            let value = match from {
                SecretInput::OfCluster(name) => value(&secrets, &cluster.secrets, name)?,
                SecretInput::Secret(name) => match &address.instance {
                    None => value(&secrets, &cluster.secrets, name)?,
                    Some(instance) => {
                        let instance = InstanceAddress::new(&address.cluster, instance);
                        let instance = self.fleet.instances.get(&instance);
                        let instance = instance.ok_or_else(|| missing("an instance"))?;
                        value(&secrets, &instance.secrets, name)?
                    }
                },
                SecretInput::Output { stack, output } => {
                    as_variable(&self.sensitive(stack, output)?)
                }
            };
            variables.push((format!("TF_VAR_{variable}"), value));
        }
        Ok(Environment {
            variables,
            passing: cluster.environment.clone(),
            plugins: self.plugins()?,
            ..Environment::new(self.workspace.around)
        })
    }

    /// Whether the program is Terraform and not OpenTofu.
    pub fn is_terraform(&self) -> bool {
        let name = self.program.as_deref().and_then(Path::file_name);
        name.is_some_and(|name| name.as_encoded_bytes().starts_with(b"terraform"))
    }

    /// Where OpenTofu keeps providers, unless the user says where.
    fn plugins(&self) -> Result<Option<PathBuf>> {
        if self.is_terraform()
            || self
                .workspace
                .around
                .variable("TF_PLUGIN_CACHE_DIR")
                .is_some()
        {
            return Ok(None);
        }
        let directory = self
            .workspace
            .around
            .cache_directory()?
            .join("tofu-plugins");
        fs_err::create_dir_all(&directory)?;
        // It is seen from other directories.
        Ok(Some(fs_err::canonicalize(directory)?))
    }

    /// Takes over what a stack gave.
    pub fn renew(
        &mut self,
        address: &Address,
        outputs: Outputs,
        secrets: BTreeMap<String, Secret>,
    ) {
        for (name, value) in secrets {
            self.given.insert((address.clone(), name), value);
        }
        if let Some(stack) = self.fleet.stacks.get_mut(address) {
            stack.outputs = Some(outputs);
        }
    }

    /// A sensitive output of a stack, opened.
    pub fn sensitive(&self, address: &Address, name: &str) -> Result<Secret> {
        if let Some(value) = self.given.get(&(address.clone(), name.to_owned())) {
            return Ok(value.clone());
        }
        let secrets = Secrets::new(&self.workspace, &self.fleet);
        let documents = self
            .documents
            .get_or_init(|| load::documents(&self.workspace.snapshot));
        value(&secrets, &output_secrets(documents, address), name)
    }
}

/// The root module of a stack, or what it waits for.
pub(crate) fn root_of(fleet: &Fleet, stack: &Stack) -> Result<std::result::Result<Root, Blocked>> {
    let address = &stack.address;
    let cluster = fleet.clusters.get(&address.cluster);
    let cluster = cluster.ok_or_else(|| missing("a cluster"))?;
    if stack.module().is_none() {
        return Ok(Err(Blocked::Stated));
    }
    let storage = cluster.storage.as_ref().ok_or_else(|| missing("`state`"))?;
    let cluster_secrets = digests(&cluster.secrets);
    let instance = address.instance.as_ref().and_then(|name| {
        let address = InstanceAddress::new(&address.cluster, name);
        fleet.instances.get(&address)
    });
    let secrets = instance.map_or_else(
        || cluster_secrets.clone(),
        |instance| digests(&instance.secrets),
    );
    let mut facts: BTreeMap<&'static str, Value> = BTreeMap::from([
        ("grove_cluster", json!(cluster.name)),
        ("grove_domain", json!(cluster.domain)),
    ]);
    if let Some(instance) = instance {
        let hosts: BTreeSet<&String> = instance
            .hosts
            .values()
            .chain(instance.domains.keys())
            .collect();
        facts.extend([
            ("grove_environment", json!(instance.environment.name())),
            ("grove_hosts", json!(hosts)),
            ("grove_instance", json!(instance.address.instance)),
            ("grove_namespace", json!(instance.identity.namespace)),
        ]);
    }
    let around = Surroundings {
        fleet: &fleet.name,
        stacks: &fleet.stacks,
        storage,
        facts: &facts,
        secrets: &secrets,
        cluster_secrets: &cluster_secrets,
    };
    Ok(root::root(stack, around))
}

/// A stack in a word, and what it waits for.
pub(crate) fn state_of(fleet: &Fleet, stack: &Stack) -> Result<(Standing, Option<String>)> {
    Ok(match root_of(fleet, stack)? {
        Err(Blocked::Stated) => (Standing::Stated, None),
        Err(blocked) => (Standing::Blocked, Some(blocked.to_string())),
        Ok(root) => match &stack.outputs {
            None => (Standing::New, None),
            Some(outputs) if outputs.inputs == root.digest => (Standing::Applied, None),
            Some(_) => (Standing::Changed, None),
        },
    })
}

/// The stacks of a cluster and of its instances, for the status.
pub(crate) fn rows(
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    cluster: &str,
) -> Result<BTreeMap<String, StackRow>> {
    let directory = work::directory(
        workspace.around.cache_directory()?,
        &fleet.name,
        &workspace.root,
    )?;
    let stacks = fleet
        .stacks
        .values()
        .filter(|stack| stack.address.cluster == cluster);
    stacks
        .map(|stack| {
            let (state, why) = state_of(fleet, stack)?;
            let looked = work::Looked::read(&directory, &stack.address);
            let row = StackRow {
                state: state.to_string(),
                why,
                looked: looked.as_ref().map(|looked| looked.time),
                drift: looked.map(|looked| looked.drift).unwrap_or_default(),
            };
            Ok((stack.address.to_string(), row))
        })
        .collect()
}

fn missing(what: &str) -> Error {
    Error::new(Kind::Bug, format!("a checked fleet lacks {what}"))
}

fn digests(secrets: &BTreeMap<String, SecretReference>) -> BTreeMap<String, String> {
    let digest =
        |(name, reference): (&String, &SecretReference)| (name.clone(), reference.digest.clone());
    secrets.iter().map(digest).collect()
}

fn value(
    secrets: &Secrets<'_>,
    references: &BTreeMap<String, SecretReference>,
    name: &str,
) -> Result<Secret> {
    let reference = references
        .get(name)
        .ok_or_else(|| Error::new(Kind::No, format!("there is no secret `{name}`")))?;
    secrets.value(reference)
}

/// A sensitive output, which is kept as JSON, as a variable takes it: text without quotes, all else as an
/// expression.
fn as_variable(kept: &Secret) -> Secret {
    match serde_json::from_str::<Value>(kept.expose()) {
        Ok(Value::String(text)) => Secret::new(text),
        _ => kept.clone(),
    }
}

/// A stack that cannot be worked on yet, as an error.
pub(crate) fn blocked_error(address: &Address, blocked: &Blocked) -> Error {
    let mut error = Error::refused(format!("`{address}` is blocked"));
    error.messages.push(blocked.to_string());
    error.hints.extend(blocked.hint());
    error
}
