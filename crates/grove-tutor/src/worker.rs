//! The worker: Tutor in Python, driven over a framed protocol.
//!
//! One worker serves one [`Environment`]. Its parent process holds Tutor imported and forks for
//! each instance; the whole of it runs confined, without network, and reads only Python, the
//! environment and its own sources. Inputs travel over the protocol.

pub(crate) mod answer;
pub(crate) mod client;
mod error;
mod frames;
mod options;
pub(crate) mod request;
#[cfg(test)]
mod tests;

pub use answer::{DeclaredSecret, JobScripts, JobStep, KnownJob, SecretClass, TutorFiles};
pub use error::{Failure, FailureKind, WorkerError};
pub use options::{Limits, WorkerOptions};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fs_err as fs;
use grove_core::TutorInput;
use grove_exec::sandbox::{FLOOR, Inner};
use grove_exec::{Invocation, Running, Sandbox};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::archive;
use crate::cache::{Cache, write_whole};
use crate::environment::Environment;
use client::{Client, Keep, Start};
use request::Request;

/// Address space of the worker's parent, which its children share until they write to it.
const PARENT_MEMORY: u64 = 4 << 30;

/// Processes and threads of a worker at most, where the kernel counts them: its children and their threads.
const PROCESSES: u64 = 256;

/// How long a worker may take to end by itself.
const FAREWELL: Duration = Duration::from_secs(2);

/// A running worker. It ends, with all its children, when this is dropped.
///
/// Requests may come from several threads at once. Where it fails with [`WorkerError::Ended`] or
/// [`WorkerError::Silent`], another worker is to be started.
#[derive(Debug)]
pub struct Worker {
    client: Client,
    running: Mutex<Running>,
    // These stay as long as the process may use them.
    _temporary: TempDir,
    _environment: Arc<Environment>,
}

impl Worker {
    /// Starts a worker for an environment, and waits until Tutor is loaded.
    pub fn start(
        environment: Arc<Environment>,
        cache: &Cache,
        options: &WorkerOptions,
    ) -> Result<Self, WorkerError> {
        let sources = archive::unpack(cache)?;
        let temporary = cache.scratch()?;
        let sandbox = sandbox(&environment, cache, &sources, temporary.path(), options);
        let confinement = Inner::of(&sandbox);
        let invocation = invocation(&environment, &sources, temporary.path());
        let mut running = invocation.sandbox(with_processes(&sandbox)).spawn()?;
        let (Some(writer), Some(reader)) = (running.take_stdin(), running.take_stdout()) else {
            return Err(WorkerError::Protocol("it has no pipes".to_owned()));
        };
        let key = fs::read_to_string(&environment.throwaway_key).ok();
        let start = Start {
            parallel: options.parallel,
            limits: options.limits,
            confinement: &confinement,
            key: key.as_deref(),
            // What is made is kept, so it pays even for one instance.
            warm_after: 1,
        };
        let saved = code_file(&environment, cache)?;
        let code = load_code(&saved);
        // A request may wait for its turn and for its templates to be compiled.
        let patience = Duration::from_secs(u64::from(options.limits.wall_seconds) * 3 + 60);
        let client = Client::start(
            Box::new(reader),
            Box::new(writer),
            &start,
            &code,
            patience,
            keep_code(saved),
        );
        let client = client
            .map_err(|error| with_last_words(error, &mut running))
            .map_err(|error| or_unconfined(error, &sandbox))?;
        Ok(Self {
            client,
            running: Mutex::new(running),
            _temporary: temporary,
            _environment: environment,
        })
    }

    /// Tutor's version, as `22.0.3`.
    pub fn tutor_version(&self) -> &str {
        &self.client.tutor
    }

    /// Renders one instance: the files that Kustomize needs and the init tasks, both with
    /// placeholders for all secrets.
    pub fn render(&self, input: &TutorInput) -> Result<TutorFiles, WorkerError> {
        let answer = self.ask(&Request::new("render", input), input)?;
        TutorFiles::parse(&answer)
    }

    /// The jobs that Tutor and the instance's plugins know, by name.
    pub fn known_jobs(&self, input: &TutorInput) -> Result<Vec<KnownJob>, WorkerError> {
        answer::known_jobs(&self.ask(&Request::job(input, &[]), input)?)
    }

    /// The scripts of a job: `words` are its name and its arguments. Tutor puts them into the scripts as
    /// they are, so they must mean nothing to a shell.
    pub fn job(&self, input: &TutorInput, words: &[String]) -> Result<JobScripts, WorkerError> {
        answer::job_scripts(&self.ask(&Request::job(input, words), input)?)
    }

    /// The images that a site is made of, by name, for an input of
    /// grove-render's `image_request`.
    pub fn images(&self, input: &TutorInput) -> Result<Vec<String>, WorkerError> {
        answer::images(&self.ask(&Request::image(input, ""), input)?)
    }

    /// What an image is built from: content by path in the build context. No path is absolute or leads out.
    pub fn image(
        &self,
        input: &TutorInput,
        image: &str,
    ) -> Result<BTreeMap<String, Vec<u8>>, WorkerError> {
        answer::context(&self.ask(&Request::image(input, image), input)?)
    }

    pub(crate) fn ask(
        &self,
        request: &Request<'_>,
        input: &TutorInput,
    ) -> Result<frames::Frame, WorkerError> {
        self.client
            .ask(request, &request::body(input))
            .map_err(|error| {
                let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
                with_last_words(error, &mut running)
            })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.client.close();
        let running = self.running.get_mut();
        // One that does not end in time is ended when `running` is dropped.
        drop(
            running
                .unwrap_or_else(PoisonError::into_inner)
                .wait(FAREWELL),
        );
    }
}

/// How a worker is run.
fn invocation(environment: &Environment, sources: &Path, temporary: &Path) -> Invocation {
    Invocation::new(&environment.python)
        // Not `-I`: the fixed hash seed keeps the order of Python's sets the same everywhere, and
        // nothing else of the environment passes.
        .args(["-s", "-B"])
        .arg(sources)
        .arg(temporary)
        .cwd(temporary)
        .env("PYTHONHASHSEED", "0")
        .env("HOME", temporary)
        .env("TMPDIR", temporary)
}

/// What a worker and its children may do; children set more themselves.
fn sandbox(
    environment: &Environment,
    cache: &Cache,
    sources: &Path,
    temporary: &Path,
    options: &WorkerOptions,
) -> Sandbox {
    let mut read = environment.read.clone();
    read.push(sources.to_owned());
    Sandbox {
        launcher: cache.launcher.clone(),
        read,
        write: vec![temporary.to_owned()],
        // Room for what the worst of them writes before it is looked at, so that others do not miss it.
        scratch: Some((options.parallel as u64 + 2) * (u64::from(options.limits.disk_mib) << 20)),
        memory: Some(PARENT_MEMORY),
        processes: Some(PROCESSES),
        require: FLOOR.into(),
        ..Sandbox::default()
    }
}

/// The same for the worker's parent alone, which sees processes: it counts what its children use.
fn with_processes(sandbox: &Sandbox) -> Sandbox {
    let mut parent = sandbox.clone();
    parent.read.push(PathBuf::from("/proc"));
    parent
}

/// Why a worker did not start, where that is the machine's fault.
fn or_unconfined(error: WorkerError, sandbox: &Sandbox) -> WorkerError {
    let asked = Sandbox {
        require: BTreeSet::new(),
        ..sandbox.clone()
    };
    // It is asked for only where something failed: asking takes as long as starting.
    let lacking = asked.probe().map(|report| report.below_floor());
    match lacking {
        Ok(lacking) if !lacking.is_empty() => WorkerError::Unconfined(lacking),
        _ => error,
    }
}

/// An error of a worker that ended, with what it said before.
fn with_last_words(error: WorkerError, running: &mut Running) -> WorkerError {
    let gone = match &error {
        WorkerError::Ended { .. } => true,
        WorkerError::Io(error) => error.kind() == std::io::ErrorKind::BrokenPipe,
        _ => false,
    };
    if !gone {
        return error;
    }
    // Its last lines may still be in the pipe.
    drop(running.wait(FAREWELL));
    WorkerError::Ended {
        stderr: running.stderr_tail(),
    }
}

/// A name for this version of the worker: with equal names, equal inputs and equal environments,
/// what it renders is equal.
pub fn worker_digest() -> String {
    archive::version()
}

/// Where the compiled templates of an environment are kept.
fn code_file(environment: &Environment, cache: &Cache) -> Result<PathBuf, WorkerError> {
    let digest = Sha256::digest(environment.root.as_os_str().as_encoded_bytes());
    let name = format!("{}-{:.16x}", archive::version(), digest);
    Ok(cache.directory("templates/v1")?.join(name))
}

/// Compiled templates that an earlier worker made; nothing where there are none or the file is not
/// what was written: Python reads it without checks of its own.
fn load_code(path: &Path) -> Vec<u8> {
    let Ok(bytes) = fs::read(path) else {
        return Vec::new();
    };
    match bytes.split_at_checked(32) {
        Some((digest, code)) if Sha256::digest(code)[..] == *digest => code.to_vec(),
        _ => Vec::new(),
    }
}

/// Writes compiled templates for the next worker. It is a matter of speed alone, so a failure is
/// passed over.
fn keep_code(path: PathBuf) -> Keep {
    Box::new(move |code| {
        let digest = Sha256::digest(code);
        drop(write_whole(&path, &[&digest[..], code].concat()));
    })
}
