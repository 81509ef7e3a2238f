//! What works on one stack, from any thread: its directory, its state, its plans.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use grove_cluster::Access;
use grove_stack::{
    backend::Backend,
    plan::{Changes, sensitive},
    root::Root,
    stack::Address,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    all::Stacks,
    holder,
    tofu::Environment,
    work::{self, Work},
};
use crate::{
    Around, Error, Kind, Result, files,
    fleet::{history, workspace::Workspace},
};

/// How a plan is made.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Plan to destroy everything.
    pub destroy: bool,
    /// Only look what others changed.
    pub refresh_only: bool,
    /// How long a lock is awaited, in seconds.
    pub lock_timeout: u64,
}

/// A stack whose secrets are opened: it can be worked on from any thread.
pub struct Ready {
    /// Its address.
    pub address: Address,
    /// Its root module.
    pub root: Root,
    /// What the program finds in its environment.
    pub environment: Environment,
    /// Lineage and serial of the state that its outputs are from.
    known: Option<(String, u64)>,
    /// The versions of its providers, where the fleet does not have them.
    unpinned: Option<Unpinned>,
}

/// A lock file that the fleet does not have.
struct Unpinned {
    /// What the fleet has in its place.
    before: Option<Vec<u8>>,
}

/// What every thread needs.
pub struct Runner {
    /// What is around the operation.
    pub around: Around,
    /// What plans and applies.
    pub program: PathBuf,
    /// Where work directories are.
    pub directory: PathBuf,
    /// The fleet's directory.
    pub base: PathBuf,
    /// Whether the fleet's files can be written.
    pub is_work_tree: bool,
    /// Clusters whose back end does not say who holds a lock.
    silent: BTreeSet<String>,
    /// How the fleet's clusters are reached: one of their pods may hold a lock.
    access: BTreeMap<String, Access>,
}

/// A plan that is kept, and what it was made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    version: u32,
    /// The stack.
    pub stack: String,
    /// The digest of everything that it was made from.
    pub inputs: String,
    /// Lineage and serial of the state that it was made on; none where there was none.
    pub state: Option<(String, u64)>,
    /// Whether it destroys everything.
    pub destroy: bool,
    /// What it would do.
    pub changes: Changes,
}

/// A plan and the directory that it is in, which is locked until this is dropped.
pub struct Planned {
    /// What is known of the plan.
    pub record: Record,
    /// The plan, where nobody keeps it: it is gone with this.
    proposal: Option<Proposal>,
    /// The directory.
    pub work: Work,
}

/// A file that is gone when this is dropped.
struct Proposal(PathBuf);

impl Drop for Proposal {
    fn drop(&mut self) {
        // It is not there where it was kept or carried out; what stays is written over by the next plan.
        fs_err::remove_file(&self.0).ok();
    }
}

impl Planned {
    /// The plan that is kept; none where there is none.
    pub fn kept(work: Work) -> std::result::Result<Self, Work> {
        match work.kept() {
            Some(record) => Ok(Self {
                record,
                proposal: None,
                work,
            }),
            None => Err(work),
        }
    }

    /// The file of the plan.
    pub fn file(&self) -> PathBuf {
        match &self.proposal {
            Some(Proposal(file)) => file.clone(),
            None => self.work.plan(),
        }
    }

    /// Keeps the plan, in place of one that was kept before.
    pub fn keep(&self) -> Result<()> {
        forget(&self.work)?;
        fs_err::rename(self.file(), self.work.plan())?;
        let text = serde_json::to_string(&self.record)
            .map_err(|error| Error::from_error(Kind::Bug, &error))?;
        files::write_atomically(&self.work.record(), &text)
    }
}

/// The head of a state, and its outputs.
#[derive(Debug, Deserialize)]
pub struct Head {
    /// Which history of states it is of.
    pub lineage: String,
    /// Its number in that.
    pub serial: u64,
    /// The outputs of the root module, by name.
    #[serde(default)]
    pub outputs: BTreeMap<String, StateOutput>,
}

/// An output as the state has it.
#[derive(Debug, Deserialize)]
pub struct StateOutput {
    /// Its value.
    #[serde(default)]
    pub value: Value,
    /// Whether the root module says that it must not be shown.
    #[serde(default)]
    pub sensitive: bool,
}

impl Stacks<'_> {
    /// A stack with its secrets opened.
    pub fn ready(&self, address: &Address, root: Root) -> Result<Ready> {
        if root.is_encrypted() && self.is_terraform() {
            return Err(Error::usage(format!(
                "the state of `{address}` is encrypted, which Terraform cannot do"
            ))
            .hint("use OpenTofu: `--program tofu`"));
        }
        let environment = self.environment(address, &root)?;
        let outputs = self.get(address)?.outputs.as_ref();
        Ok(Ready {
            address: address.clone(),
            root,
            environment,
            known: outputs.map(|outputs| (outputs.lineage.clone(), outputs.serial)),
            unpinned: None,
        })
    }

    /// What every thread needs.
    pub fn runner(&self) -> Result<Runner> {
        Ok(Runner {
            around: self.workspace.around.clone(),
            program: self.program()?.to_owned(),
            directory: self.directory.clone(),
            base: self.workspace.root.clone(),
            is_work_tree: is_work_tree(&self.workspace),
            access: self
                .fleet
                .clusters
                .values()
                .filter(|cluster| cluster.server.is_some())
                .map(|cluster| (cluster.name.clone(), self.workspace.around.access(cluster)))
                .collect(),
            silent: self
                .fleet
                .clusters
                .values()
                .filter(|cluster| {
                    let storage = cluster.storage.as_ref();
                    storage.is_some_and(|storage| storage.backend == Backend::Postgres)
                })
                .map(|cluster| cluster.name.clone())
                .collect(),
        })
    }
}

/// Whether a fleet's files can be written.
pub(crate) fn is_work_tree(workspace: &Workspace<'_>) -> bool {
    workspace.commit.is_none()
}

impl Runner {
    /// The directory of a stack with its root module written and prepared. Nothing outside of the cache is
    /// written: see [`Self::pin`].
    pub fn open(&self, ready: &mut Ready) -> Result<Work> {
        let mut work = Work::open(&self.directory, &ready.address)?;
        let before = ready.root.lock().map(<[u8]>::to_vec);
        let is_new_lock = work.prepare(
            &mut ready.root,
            &self.base,
            &self.program,
            &ready.environment,
        )?;
        if is_new_lock && ready.root.lock().is_some() {
            ready.unpinned.get_or_insert(Unpinned { before });
        }
        Ok(work)
    }

    /// Like [`Self::open`], for what writes nothing to the fleet.
    pub fn look(&self, ready: &mut Ready) -> Result<Work> {
        let work = self.open(ready)?;
        if ready.unpinned.is_some() {
            self.tell_unpinned(&ready.root.lock_file());
        }
        Ok(work)
    }

    fn tell_unpinned(&self, file: &str) {
        self.around.note(&format!(
            "{file} is not in the fleet: versions of providers are not pinned"
        ));
    }

    /// Writes the versions of a stack's providers to the fleet, where it does not have them.
    pub fn pin(&self, ready: &mut Ready) -> Result<()> {
        let (Some(Unpinned { before }), Some(lock)) = (ready.unpinned.take(), ready.root.lock())
        else {
            return Ok(());
        };
        let file = ready.root.lock_file();
        if !self.is_work_tree {
            self.tell_unpinned(&file);
            return Ok(());
        }
        history::refuse_changed(&self.around, &file, before.as_deref())?;
        history::write(&self.around, &file, lock)?;
        self.around.note(&format!(
            "{file} has the versions of its providers now: commit it"
        ));
        Ok(())
    }

    /// The head of the state in the back end, which must be the one that is known.
    pub fn head(&self, work: &Work, ready: &Ready) -> Result<Option<Head>> {
        let text = work.run(&self.program, &ready.environment).pull()?;
        let head: Option<Head> = text
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| {
                Error::from_error(Kind::Tool, &error).context("the state cannot be read")
            })?;
        let Some((lineage, serial)) = &ready.known else {
            return Ok(head);
        };
        let back_end = "was the back end or the key changed? nothing was done";
        match &head {
            None => Err(Error::refused(format!(
                "the back end has no state of `{}`, which was applied as serial {serial}",
                ready.address
            ))
            .hint(back_end)),
            Some(head) if head.lineage != *lineage => Err(Error::refused(format!(
                "the back end holds a state of another lineage than `{}` was applied with",
                ready.address
            ))
            .hint(back_end)),
            Some(head) if head.serial < *serial => Err(Error::refused(format!(
                "the back end holds serial {} of `{}`, which was applied as serial {serial} already",
                head.serial, ready.address
            ))
            .hint("an older state was put there: an apply would make anew what came after it")),
            Some(_) => Ok(head),
        }
    }

    /// Makes a plan in a directory that is prepared. It is gone with what this gives, unless it is kept.
    pub fn plan_in(&self, work: Work, ready: &mut Ready, options: &Options) -> Result<Planned> {
        let head = self.head(&work, ready)?;
        let run = work.run(&self.program, &ready.environment);
        let proposal = Proposal(work.proposal());
        let file = proposal.0.display().to_string();
        let out = format!("-out={file}");
        let timeout = format!("-lock-timeout={}s", options.lock_timeout);
        let mut words = vec!["plan", "-input=false", "-no-color", &timeout, &out];
        if options.destroy {
            words.push("-destroy");
        }
        if options.refresh_only {
            words.push("-refresh-only");
        }
        run.run(&words)?;
        restrict(Path::new(&file))?;
        let text = run.run(&["show", "-json", "-no-color", &file])?.text()?;
        let plan: Value = serde_json::from_str(&text).map_err(|error| {
            Error::from_error(Kind::Tool, &error).context("the plan cannot be read")
        })?;
        ready.environment.sensitive.extend(sensitive(&plan));
        let record = Record {
            version: 1,
            stack: ready.address.to_string(),
            inputs: ready.root.digest.clone(),
            state: head.map(|head| (head.lineage, head.serial)),
            destroy: options.destroy,
            changes: Changes::of(&plan),
        };
        Ok(Planned {
            record,
            proposal: Some(proposal),
            work,
        })
    }

    fn hides_owner(&self, address: &Address) -> bool {
        self.silent.contains(&address.cluster)
    }

    /// What is known of whoever holds a lock, as a hint.
    pub fn explain(&self, address: &Address, mut error: Error) -> Error {
        if error.lock.is_some() && self.hides_owner(address) {
            // What the program shows is its own attempt.
            error.messages =
                vec!["its state is locked; PostgreSQL does not say by whom".to_owned()];
            error.hints.push(
                "the lock is gone when its connection ends: `pg_stat_activity` shows where that comes from"
                    .to_owned(),
            );
        } else if let Some(info) = &error.lock {
            let known = if self.around.host.as_deref() == Some(info.host()) {
                work::explain(&self.directory, address)
            } else {
                holder::explain(&self.around, info.host(), &self.access)
            };
            let hint = format!(
                "{known}; where nobody is at work any more, `grove stack unlock {address} {}` takes the lock away",
                info.id
            );
            error.hints.push(hint);
        }
        error.context(format!("`{address}`"))
    }
}

impl Work {
    fn kept(&self) -> Option<Record> {
        let text = fs_err::read_to_string(self.record()).ok()?;
        let record: Record = serde_json::from_str(&text).ok()?;
        (record.version == 1 && self.plan().is_file()).then_some(record)
    }
}

/// Removes a plan that is kept.
pub(crate) fn forget(work: &Work) -> Result<()> {
    for file in [work.record(), work.plan()] {
        match fs_err::remove_file(file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// A plan holds the values of secrets.
fn restrict(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs_err::set_permissions(
        file,
        std::fs::Permissions::from_mode(0o600),
    )?)
}
