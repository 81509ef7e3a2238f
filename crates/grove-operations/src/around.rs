//! What an operation has around it: everything that comes from the process and not from whoever asks.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    future::Future,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use grove_check::{Checked, Context as Checking};
use grove_exec::{Entered, Token};
use grove_fleet::{Fleet, Snapshot, model::Instance};
use grove_release::{Author, DeployBranch, Git, Turn};
use grove_render::Tree;
use jiff::Timestamp;
use tokio::runtime::Handle;

use crate::{
    Error, Kind, Result,
    event::{Doing, Event, Listener, Silent},
};

/// More steps than the budget of any task.
const STEPS: u32 = 1024;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still.
impl Clock for Timestamp {
    fn now(&self) -> Timestamp {
        *self
    }
}

/// What an operation has around it. A request holds what whoever asks may choose; this is the rest: places,
/// programs, keys, clusters, the time, and who listens. Cheap to clone.
///
/// Several operations may run at once with one, or each with its own.
#[derive(Clone)]
pub struct Around {
    /// The fleet: a directory with `grove.yaml`, or a bare Git repository. None where there is none.
    pub fleet: Option<PathBuf>,
    /// What stands in for programs and places; nothing does but in tests and simulations.
    pub instead: Instead,
    /// Where relative paths begin that are not the fleet's.
    pub directory: PathBuf,
    /// Where Grove keeps what it can make again. None where there is no place for it.
    pub cache: Option<PathBuf>,
    /// The program that confines what renders: an absolute path, called as
    /// `LAUNCHER sandbox DESCRIPTION -- PROGRAM ARGUMENT…`. It restricts itself as the description says and
    /// becomes the program ([`grove_exec::sandbox::enter`]); without a program it prints what this machine
    /// gives of that, as JSON ([`grove_exec::sandbox::report`]).
    ///
    /// `grove` is such a program. One that has operations and is not `grove` names an installed `grove`
    /// here, or itself: then it looks for that first argument before it starts any thread, as the example
    /// `deploy` of this crate does. Nothing calls it where [`Instead::renderer`] stands in for Tutor.
    pub launcher: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who writes commits and records. None takes what Git's own settings say in the fleet's directory.
    pub author: Option<Author>,
    /// What the operating system calls the user: the author where Git knows of none.
    pub user: String,
    /// What the machine is called: holders of locks name it. Where none is known, no holder is taken for a
    /// process of this machine.
    pub host: Option<String>,
    /// The user's home directory, where keys are looked for.
    pub home: Option<PathBuf>,
    /// The environment: where keys are looked for, and what is masked in what programs say.
    pub variables: Arc<BTreeMap<OsString, OsString>>,
    /// Used in place of `deploy.remote` of the fleet; `{cluster}` stands for the cluster's name. A relative
    /// one begins at [`Self::directory`].
    pub deploy_remote: Option<String>,
    /// How long to wait while others write to a deploy branch.
    pub turn: Duration,
    /// The files that say how clusters are reached.
    pub kubeconfigs: Vec<PathBuf>,
    /// The context in them; none finds the cluster's own.
    pub context: Option<String>,
    /// The program that plans and applies; none looks for `tofu`, then `terraform`.
    pub tofu: Option<PathBuf>,
    /// The runtime on which clusters are spoken to. It must have threads of its own; none makes one for the
    /// moment.
    pub runtime: Option<Handle>,
    /// Who hears what happens.
    pub listener: Arc<dyn Listener>,
    /// Ends the operation: what it started is ended, and it gives an error of [`Kind::Ended`], or what it
    /// had done by then. Operations that share it end together.
    pub token: Token,
}

/// What stands in for what an operation otherwise reads and starts.
#[derive(Clone, Default)]
pub struct Instead {
    /// The files of the fleet, in place of those of [`Around::fleet`].
    pub files: Option<Arc<Snapshot>>,
    /// Checks the fleet's files, in place of Grove's rules.
    pub checker: Option<Arc<dyn Checker>>,
    /// Opens deploy branches, in place of Git.
    pub branches: Option<Arc<dyn Branches>>,
    /// Renders instances, in place of Tutor.
    pub renderer: Option<Arc<dyn Renderer>>,
}

/// Checks a fleet's files.
pub trait Checker: Send + Sync {
    /// The fleet that they say, and what is wrong with it.
    fn check(&self, files: &Snapshot, context: &Checking) -> Checked;
}

/// Opens deploy branches.
pub trait Branches: Send + Sync {
    /// The deploy branch of a cluster, as its remote has it now.
    fn open(&self, cluster: &str) -> Result<DeployBranch>;
}

/// Renders instances.
pub trait Renderer: Send + Sync {
    /// The tree of an instance.
    fn render(&self, fleet: &Fleet, instance: &Instance) -> Result<Tree>;
}

impl fmt::Debug for Around {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Variables may hold secrets.
        formatter
            .debug_struct("Around")
            .field("fleet", &self.fleet)
            .field("directory", &self.directory)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

impl Around {
    /// Around a fleet, with a cache, the program that confines workers, and the time: nothing else is
    /// known, and no one listens.
    pub fn new(fleet: &Path, cache: &Path, launcher: &Path, clock: impl Clock + 'static) -> Self {
        Self {
            fleet: Some(fleet.to_owned()),
            instead: Instead::default(),
            directory: fleet.to_owned(),
            cache: Some(cache.to_owned()),
            launcher: launcher.to_owned(),
            clock: Arc::new(clock),
            author: None,
            user: "unknown".to_owned(),
            host: None,
            home: None,
            variables: Arc::default(),
            deploy_remote: None,
            turn: Turn::LIMIT,
            kubeconfigs: Vec::new(),
            context: None,
            tofu: None,
            runtime: None,
            listener: Arc::new(Silent),
            token: Token::new(),
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The fleet's directory.
    pub fn fleet(&self) -> Result<&Path> {
        self.fleet.as_deref().ok_or_else(|| {
            Error::usage(format!(
                "no fleet here: `{}` and its parents have no `grove.yaml`",
                self.directory.display()
            ))
            .hint("name one with `--fleet DIR`, or make one with `grove init`")
        })
    }

    /// Where Grove keeps what it can make again.
    pub fn cache_directory(&self) -> Result<&Path> {
        self.cache.as_deref().ok_or_else(|| {
            Error::usage("no place for the cache: neither HOME nor XDG_CACHE_HOME is set")
                .hint("set GROVE_CACHE_DIR to a directory that can be written")
        })
    }

    /// The cache as rendering uses it.
    pub fn cache(&self) -> Result<grove_tutor::Cache> {
        Ok(grove_tutor::Cache {
            root: self.cache_directory()?.to_owned(),
            launcher: self.launcher.clone(),
        })
    }

    /// A variable of the environment that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<OsString> {
        let value = self.variables.get(std::ffi::OsStr::new(name))?;
        (!value.is_empty()).then(|| value.clone())
    }

    /// The `git` program, as every operation calls it.
    pub fn git(&self) -> Git {
        Git::default()
    }

    /// Who writes commits and records.
    pub fn author(&self) -> Result<Author> {
        if let Some(author) = &self.author {
            return Ok(author.clone());
        }
        let mut git = grove_exec::Invocation::new("git")
            .args(["var", "GIT_AUTHOR_IDENT"])
            .cwd(self.fleet()?)
            .pass(grove_exec::Variables::Git);
        for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "EMAIL"] {
            git = git.pass_env(name);
        }
        // `Name <address> seconds zone`; an error where Git knows of none.
        let text = git.run_any()?.text().unwrap_or_default();
        let known = text
            .split_once(" <")
            .and_then(|(name, rest)| Some((name, rest.split_once('>')?.0)));
        let (name, email) = match known {
            Some((name, email)) => (name.to_owned(), email.to_owned()),
            None => (self.user.clone(), format!("{}@localhost", self.user)),
        };
        Ok(Author { name, email })
    }

    /// Runs what speaks to clusters to its end.
    ///
    /// An error on a thread that drives a runtime, which would stand still meanwhile: from async code,
    /// operations are called through `spawn_blocking`.
    pub fn block_on<T>(&self, future: impl Future<Output = Result<T>>) -> Result<T> {
        if drives_a_runtime() {
            return Err(Error::new(
                Kind::Bug,
                "an operation was called on a thread that drives a runtime",
            )
            .hint("call it through `spawn_blocking`"));
        }
        let future = self.unless_ended(future);
        if let Some(runtime) = &self.runtime {
            return runtime.block_on(future);
        }
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| {
                Error::from_error(Kind::Tool, &error).context("cannot start the runtime")
            })?
            .block_on(future)
    }

    /// Does something that [`Self::token`] ends.
    pub async fn unless_ended<T>(&self, future: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            // What is done is done, whoever ended it meanwhile.
            biased;
            result = future => result,
            () = self.token.ended() => Err(ended()),
        }
    }

    /// Begins work of this thread that [`Self::token`] ends, until what this gives is dropped. An error
    /// where it has ended.
    pub fn enter(&self) -> Result<Entered> {
        if self.token.is_ended() {
            return Err(ended());
        }
        Ok(self.token.enter())
    }

    /// Tells what happened.
    pub fn tell(&self, event: &Event<'_>) {
        self.listener.hear(event);
    }

    /// Tells what is being done.
    pub fn doing(&self, doing: Doing<'_>) {
        self.tell(&Event::Doing { doing });
    }

    /// Tells what is being done, in words of its own.
    pub fn progress(&self, text: &str) {
        self.doing(Doing::Step { text });
    }

    /// Tells that what was being done is over.
    pub fn progress_done(&self) {
        self.tell(&Event::Idle);
    }

    /// Tells something good to know.
    pub fn note(&self, text: &str) {
        self.tell(&Event::Note { text });
    }

    /// Tells something that must be seen.
    pub fn warn(&self, text: &str) {
        self.tell(&Event::Warning { text });
    }

    /// Tells one of several failures.
    pub fn failed(&self, error: &Error) {
        self.tell(&Event::Failed { error });
    }
}

fn ended() -> Error {
    Error::new(Kind::Ended, "the operation was ended")
}

/// Whether this is called from an async task: then a runtime's own thread would stand still. A thread for
/// blocking work runs no such task.
fn drives_a_runtime() -> bool {
    if Handle::try_current().is_err() {
        return false;
    }
    // Tokio gives each task a budget of steps before it is to let others go on (see `tokio::task::coop`),
    // and none to blocking work. The budget is not to be had, but that it ends is seen.
    let mut nothing = Context::from_waker(Waker::noop());
    (0..STEPS).any(|_| {
        pin!(tokio::task::consume_budget())
            .poll(&mut nothing)
            .is_pending()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around() -> Around {
        let here = Path::new("/nonexistent");
        Around::new(here, here, here, Timestamp::UNIX_EPOCH)
    }

    fn kind(result: Result<()>) -> Option<Kind> {
        result.err().map(|error| error.kind)
    }

    fn runtimes() -> [tokio::runtime::Runtime; 2] {
        [
            tokio::runtime::Builder::new_current_thread(),
            tokio::runtime::Builder::new_multi_thread(),
        ]
        .map(|mut builder| builder.worker_threads(1).enable_all().build().unwrap())
    }

    #[test]
    fn a_thread_that_drives_a_runtime_is_told_so() {
        for runtime in runtimes() {
            let called = || async { kind(around().block_on(async { Ok(()) })) };
            assert_eq!(runtime.block_on(called()), Some(Kind::Bug));
            let task = runtime.spawn(called());
            assert_eq!(runtime.block_on(task).unwrap(), Some(Kind::Bug));
        }
    }

    #[test]
    fn a_thread_for_blocking_work_speaks_to_clusters() {
        let mut around = around();
        for runtime in runtimes() {
            around.runtime = None;
            for _ in 0..2 {
                let own = around.clone();
                let work = move || kind(own.block_on(async { Ok(()) }));
                let task = runtime.spawn_blocking(work);
                assert_eq!(runtime.block_on(task).unwrap(), None);
                // Then on the runtime of whoever calls.
                around.runtime = Some(runtime.handle().clone());
            }
        }
    }

    #[test]
    fn what_waits_for_a_cluster_can_be_ended() {
        let around = around();
        let token = around.token.clone();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| {
                kind(around.block_on(async {
                    std::future::pending::<()>().await;
                    Ok(())
                }))
            });
            token.end();
            assert_eq!(waits.join().unwrap(), Some(Kind::Ended));
        });
        assert!(around.enter().is_err());
    }
}
