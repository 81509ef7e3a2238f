//! The directory in which a stack is worked on: in the cache, nobody else's to read, gone without loss.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use fs_err::{File, os::unix::fs::OpenOptionsExt as _};
use grove_stack::{
    root::{BACKEND_FILE, INPUTS_FILE, LOCK_FILE, Root},
    stack::Address,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::tofu::{self, Environment};
use crate::{Error, Kind, Result, files};

/// What an interrupted apply could not write to its back end.
const ERRORED: &str = "errored.tfstate";

/// The directory of a fleet's stacks in the cache: two checkouts of one fleet have two.
pub(crate) fn directory(cache: &Path, fleet: &str, root: &Path) -> Result<PathBuf> {
    let root = fs_err::canonicalize(root)?;
    let digest = format!("{:x}", Sha256::digest(root.as_os_str().as_encoded_bytes()));
    let name = format!("{fleet}-{}", digest.get(..12).unwrap_or_default());
    Ok(cache.join("stacks-v1").join(name))
}

/// Work on one stack; no other process of this machine works on it meanwhile.
pub struct Work {
    directory: PathBuf,
    module: PathBuf,
    _lock: File,
}

/// Which process works on a stack.
#[derive(Debug, Serialize, Deserialize)]
struct Running {
    /// Its number.
    process: u32,
    /// When it was started, in clock ticks since the machine was: numbers are given again.
    started: String,
}

impl Work {
    /// Opens the directory of a stack.
    pub fn open(parent: &Path, address: &Address) -> Result<Self> {
        let directory = place(parent, address);
        make(&directory)?;
        let lock = fs_err::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(directory.join("lock"))?;
        // A program that is just being started has a copy of the file for a moment.
        let is_free = (0..20).any(|attempt| {
            if attempt > 0 {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            lock.file().try_lock().is_ok()
        });
        if !is_free {
            return Err(Error::refused(format!(
                "another `grove` of this machine works on `{address}`"
            )));
        }
        Ok(Self {
            module: directory.join("tree"),
            directory,
            _lock: lock,
        })
    }

    /// Where a plan is kept.
    pub fn plan(&self) -> PathBuf {
        self.directory.join("plan")
    }

    /// Where what is known of a plan is kept.
    pub fn record(&self) -> PathBuf {
        self.directory.join("plan.json")
    }

    /// The root module, to be run.
    pub fn run<'a>(&'a self, program: &'a Path, environment: &'a Environment) -> tofu::Root<'a> {
        tofu::Root {
            program,
            directory: &self.module,
            data: Some(self.directory.join("data")),
            environment,
        }
    }

    /// Where a plan goes that nobody has agreed to yet, or that only looks.
    pub fn proposal(&self) -> PathBuf {
        self.directory.join("proposal")
    }

    /// Writes the files of the root module and prepares them; whether the lock file of the providers is
    /// another one now. `base` is the fleet's directory.
    pub fn prepare(
        &mut self,
        root: &mut Root,
        base: &Path,
        program: &Path,
        environment: &Environment,
    ) -> Result<bool> {
        let tree = self.directory.join("tree");
        self.module = tree.join(&root.directory);
        let base = fs_err::canonicalize(base)?;
        let backend = root.backend(&base.to_string_lossy());
        let mut wanted = BTreeSet::new();
        let mut decides = Sha256::new();
        let files = root
            .files
            .iter()
            .map(|(path, bytes)| (path.clone(), bytes.as_slice()));
        let backend_file = format!("{}/{BACKEND_FILE}", root.directory);
        for (path, bytes) in files.chain([(backend_file, backend.as_bytes())]) {
            let target = tree.join(&path);
            if fs_err::read(&target).ok().as_deref() != Some(bytes) {
                if let Some(parent) = target.parent() {
                    make(parent)?;
                }
                files::write_atomically(&target, bytes)?;
            }
            if !path.ends_with(INPUTS_FILE) {
                decides.update((path.len() as u64).to_le_bytes());
                decides.update(path.as_bytes());
                decides.update((bytes.len() as u64).to_le_bytes());
                decides.update(bytes);
            }
            wanted.insert(target);
        }
        let lock_file = self.module.join(LOCK_FILE);
        wanted.insert(lock_file.clone());
        // The one copy of what an apply could not write.
        wanted.insert(self.module.join(ERRORED));
        remove_others(&tree, &wanted)?;
        decides.update(program.as_os_str().as_encoded_bytes());
        let decides = format!("{:x}", decides.finalize());
        let marker = self.directory.join("prepared");
        if fs_err::read_to_string(&marker).ok().as_deref() != Some(decides.as_str()) {
            if root.lock().is_none() && lock_file.exists() {
                fs_err::remove_file(&lock_file)?;
            }
            let _turn = environment.plugins.as_deref().map(turn).transpose()?;
            self.run(program, environment).run(&[
                "init",
                "-reconfigure",
                "-input=false",
                "-no-color",
            ])?;
            resolve_links(&self.directory.join("data").join("providers"))?;
            files::write_atomically(&marker, &decides)?;
        }
        let now = fs_err::read(&lock_file).ok();
        if now.as_deref() == root.lock() {
            return Ok(false);
        }
        if let Some(now) = now {
            root.set_lock(now);
        }
        Ok(true)
    }

    /// Notes which process works on the stack, so that its lock can be explained should it be left behind.
    pub fn note_running(&self, process: u32) -> Result<()> {
        let running = Running {
            process,
            started: started(process).unwrap_or_default(),
        };
        let text = serde_json::to_string(&running)
            .map_err(|error| Error::from_error(Kind::Bug, &error))?;
        files::write_atomically(&self.directory.join("running.json"), &text)
    }

    /// The process that works on the stack, where it still runs.
    pub fn running(&self) -> Option<u32> {
        let running = read_running(&self.directory)?;
        (started(running.process).as_deref() == Some(&running.started)).then_some(running.process)
    }

    /// Nothing runs any more.
    pub fn note_ended(&self) {
        // One that stays speaks of a process that is gone, which is seen.
        fs_err::remove_file(self.directory.join("running.json")).ok();
    }
}

/// Where the program keeps the state that the last apply of a stack could not write.
pub(super) fn errored(parent: &Path, address: &Address, root: &Root) -> PathBuf {
    let tree = place(parent, address).join("tree");
    tree.join(&root.directory).join(ERRORED)
}

/// What `grove stack drift` found of a stack.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Looked {
    /// When.
    pub time: jiff::Timestamp,
    /// Objects that others had changed.
    pub drift: Vec<String>,
}

impl Looked {
    /// What the last look found; none where nobody looked on this machine.
    pub(crate) fn read(parent: &Path, address: &Address) -> Option<Self> {
        let text = fs_err::read_to_string(place(parent, address).join("drift.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Keeps it.
    pub(crate) fn keep(&self, parent: &Path, address: &Address) -> Result<()> {
        let text =
            serde_json::to_string(self).map_err(|error| Error::from_error(Kind::Bug, &error))?;
        files::write_atomically(&place(parent, address).join("drift.json"), &text)
    }
}

/// What is known of a process of this machine that holds a lock.
pub(crate) fn explain(parent: &Path, address: &Address) -> String {
    match read_running(&place(parent, address)) {
        Some(running) if started(running.process).as_deref() == Some(&running.started) => {
            format!(
                "process {} of this machine still works on it",
                running.process
            )
        }
        Some(running) => format!(
            "process {} of this machine, which last worked on it, is gone",
            running.process
        ),
        None => "no process of this machine is known to work on it".to_owned(),
    }
}

fn read_running(directory: &Path) -> Option<Running> {
    let text = fs_err::read_to_string(directory.join("running.json")).ok()?;
    serde_json::from_str(&text).ok()
}

fn place(parent: &Path, address: &Address) -> PathBuf {
    address
        .parts()
        .fold(parent.to_owned(), |path, part| path.join(part))
        .join(".work")
}

/// When a process was started (field 22 of `/proc/<n>/stat`, see proc(5)); none where it is gone.
fn started(process: u32) -> Option<String> {
    let text = fs_err::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program, in brackets, may hold anything.
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    (state != "Z")
        .then(|| fields.nth(18).map(str::to_owned))
        .flatten()
}

/// Waits until no other run prepares a root module: two that put one provider into the common directory at
/// the same time end in a panic of the program (OpenTofu 1.10.10).
fn turn(plugins: &Path) -> Result<File> {
    let lock = File::create(plugins.with_extension("lock"))?;
    grove_exec::lock(lock.file(), None)?;
    Ok(lock)
}

/// Points each provider that is a link to where that leads in the end. What comes from an unpacked mirror is
/// a link in the common directory too, which the next `init` without a lock file takes away and makes anew
/// (OpenTofu 1.10.10): a program that runs meanwhile would have no provider.
fn resolve_links(directory: &Path) -> Result<()> {
    let entries = match fs_err::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_symlink() {
            let target = fs_err::canonicalize(&path)?;
            if fs_err::read_link(&path)? != target {
                fs_err::remove_file(&path)?;
                fs_err::os::unix::fs::symlink(target, &path)?;
            }
        } else if path.is_dir() {
            resolve_links(&path)?;
        }
    }
    Ok(())
}

/// Makes a directory that nobody else may read: plans hold secrets.
fn make(directory: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| Error::from(error).context(format!("cannot make {}", directory.display())))
}

/// Removes files of an older root module.
fn remove_others(directory: &Path, wanted: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs_err::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() && !path.is_symlink() {
            remove_others(&path, wanted)?;
        } else if !wanted.contains(&path) {
            fs_err::remove_file(&path)?;
        }
    }
    Ok(())
}
