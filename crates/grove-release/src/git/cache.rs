//! A bare repository that holds one branch of a remote.
//!
//! It is a cache: everything in it can be fetched again. It is damaged at worst by a full disk or a
//! lost machine, and then made anew.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use grove_core::digest::hex;
use sha2::{Digest as _, Sha256};

use super::{Database, Git, Remote, create::create_bare, objects::reason, remote::gist};
use crate::{Error, Id};

/// How long another process is waited for.
const LOCK_WAIT: Duration = Duration::from_mins(2);

/// One branch of a remote and where it is cached.
pub(crate) struct Cache {
    git: Git,
    remote: Remote,
    /// The whole name, `refs/heads/…`.
    reference: String,
    path: PathBuf,
    store: RwLock<gix::ThreadSafeRepository>,
    /// Whether it was made anew already; once is enough.
    repaired: AtomicBool,
}

/// How a push ended.
pub(crate) enum Pushed {
    /// The remote has the commit. What it said, a line each.
    Done(Vec<String>),
    /// The branch was not where it was expected.
    Raced,
    /// Something else; whether the remote has the commit is for the next fetch to tell.
    Failed(Error),
}

impl Cache {
    /// Opens the cache of `branch` (`deploy/prod`) of `remote` below the directory `caches`, or
    /// makes it.
    pub(crate) fn open(
        git: &Git,
        remote: &Remote,
        branch: &str,
        caches: &Path,
    ) -> Result<Self, Error> {
        // One repository a branch: two clusters of one remote never wait for each other.
        let name = Sha256::digest(format!("{remote}\0{branch}"));
        let name = hex(name.get(..16).unwrap_or_default());
        let path = caches.join(format!("{name}.git"));
        fs_err::create_dir_all(caches).map_err(Error::io(caches))?;
        let _lock = lock(&path)?;
        let store = match open(&path) {
            Ok(store) => store,
            Err(_) => make_anew(git, &path, branch)?,
        };
        Ok(Self {
            git: git.clone(),
            remote: remote.clone(),
            reference: format!("refs/heads/{branch}"),
            path,
            store: RwLock::new(store),
            repaired: AtomicBool::new(false),
        })
    }

    pub(crate) fn remote(&self) -> &Remote {
        &self.remote
    }

    /// Runs `work` on the repository's objects. Where some are missing or damaged, the cache is made anew
    /// and `work` is run once more.
    pub(crate) fn with<T>(
        &self,
        work: impl Fn(&Database<'_>) -> gix::Result<T>,
    ) -> Result<T, Error> {
        let work = || work(&Database::new(&self.repository().objects));
        let first = match work() {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if let Some(error) = self.trouble(&first) {
            return Err(error);
        }
        let damaged = |error: &gix::Error| Error::Damaged {
            path: self.path.clone(),
            message: reason(error),
        };
        if self.repaired.swap(true, Ordering::Relaxed) {
            return Err(damaged(&first));
        }
        {
            let _lock = lock(&self.path)?;
            self.replace()?;
            self.fetch_locked()?;
        }
        work().map_err(|error| damaged(&error))
    }

    /// Brings the branch here; gives its commit, none where the remote has no such branch.
    pub(crate) fn fetch(&self) -> Result<Option<Id>, Error> {
        let _lock = lock(&self.path)?;
        match self.fetch_locked() {
            // Git's own words for a damaged repository are many; where the remote is not to blame,
            // a new repository is tried once.
            Err(Error::Git { .. }) if !self.repaired.swap(true, Ordering::Relaxed) => {
                self.replace()?;
                self.fetch_locked()
            }
            other => other,
        }
    }

    /// The commit that the last fetch or push left.
    pub(crate) fn known(&self) -> Option<Id> {
        let repo = self.repository();
        let reference = repo
            .try_find_reference(tracking(&self.reference).as_str())
            .ok()??;
        reference.try_id().map(|id| id.detach().into())
    }

    /// Makes `commit` the remote's branch if that is at `expected` (nothing: if there is none yet).
    pub(crate) fn push(&self, commit: Id, expected: Option<Id>) -> Result<Pushed, Error> {
        let _lock = lock(&self.path)?;
        let expected = expected.map(|id| id.to_string()).unwrap_or_default();
        let outcome = self.git(
            "push",
            &[
                "--porcelain",
                "--no-follow-tags",
                "--recurse-submodules=no",
                &format!("--force-with-lease={}:{expected}", self.reference),
                "--",
                self.remote.as_str(),
                &format!("{commit}:{}", self.reference),
            ],
        )?;
        let stderr = String::from_utf8_lossy(&outcome.stderr);
        let messages: Vec<String> = stderr
            .lines()
            .filter_map(|line| line.strip_prefix("remote:"))
            .map(|line| line.chars().filter(|c| !c.is_control()).collect::<String>())
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .take(50)
            .collect();
        if outcome.status.success() {
            // The remote has it; where the note cannot be written, the next fetch writes it.
            drop(self.remember(Some(commit)));
            return Ok(Pushed::Done(messages));
        }
        // <flag> TAB <from>:<to> TAB <summary> (<reason>), see git-push(1).
        let stdout = String::from_utf8_lossy(&outcome.stdout);
        let Some(reason) = stdout.lines().find_map(|line| line.strip_prefix("!\t")) else {
            return Ok(Pushed::Failed(self.failure("push", &stderr)));
        };
        let reason = reason.split('\t').next_back().unwrap_or(reason);
        let raced = [
            "stale info",
            "fetch first",
            "non-fast-forward",
            "cannot lock ref",
            "failed to update ref",
        ];
        if raced.iter().any(|words| reason.contains(words)) {
            return Ok(Pushed::Raced);
        }
        Ok(Pushed::Failed(Error::Rejected {
            remote: self.remote.to_string(),
            branch: self.branch().to_owned(),
            reason: reason.to_owned(),
            messages,
        }))
    }

    /// The branch without `refs/heads/`.
    pub(crate) fn branch(&self) -> &str {
        self.reference.trim_start_matches("refs/heads/")
    }

    fn fetch_locked(&self) -> Result<Option<Id>, Error> {
        let outcome = self.git(
            "fetch",
            &[
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                "--recurse-submodules=no",
                "--",
                self.remote.as_str(),
                &format!("+{}:{}", self.reference, tracking(&self.reference)),
            ],
        )?;
        if outcome.status.success() {
            return Ok(self.known());
        }
        let stderr = String::from_utf8_lossy(&outcome.stderr);
        if stderr.contains("couldn't find remote ref") {
            self.remember(None)?;
            return Ok(None);
        }
        Err(self.failure("fetch", &stderr))
    }

    /// What the operating system said, where that and no damage is what is wrong: a full disk, a
    /// directory of another user.
    fn trouble(&self, error: &gix::Error) -> Option<Error> {
        use std::io::ErrorKind::{InvalidData, InvalidInput, NotFound, Other, UnexpectedEof};
        let io = error.downcast_any_ref::<std::io::Error>()?;
        let from_content = [InvalidData, InvalidInput, NotFound, Other, UnexpectedEof];
        (!from_content.contains(&io.kind())).then(|| Error::Io {
            path: self.path.clone(),
            source: io.kind().into(),
        })
    }

    /// What a failed run means.
    fn failure(&self, command: &str, stderr: &str) -> Error {
        if command == "fetch" && stderr.contains("No space left on device") {
            return Error::Io {
                path: self.path.clone(),
                source: std::io::ErrorKind::StorageFull.into(),
            };
        }
        match self.remote.failure(stderr) {
            Some(Error::RemoteMoved { remote, .. }) => Error::RemoteMoved {
                remote,
                to: self.moved_to(),
            },
            Some(error) => error,
            None => Error::Git {
                command: command.to_owned(),
                message: gist(stderr),
            },
        }
    }

    /// Where a remote that has moved redirects to. Asked without credentials, for the message alone.
    fn moved_to(&self) -> Option<String> {
        let outcome = self
            .git
            .clone()
            .with_timeout(Duration::from_secs(20))
            .with_variable("GIT_ASKPASS", "")
            .run(
                &self.path,
                &[
                    "-c",
                    "credential.helper=",
                    "-c",
                    "http.followRedirects=true",
                ],
                "ls-remote",
                &["--", self.remote.as_str(), &self.reference],
            )
            .ok()?;
        let stderr = String::from_utf8_lossy(&outcome.stderr);
        let to = stderr
            .lines()
            .find_map(|line| line.strip_prefix("warning: redirecting to "))?;
        Some(to.trim().trim_end_matches('/').to_owned())
    }

    fn git(&self, command: &str, arguments: &[&str]) -> Result<grove_exec::Outcome, Error> {
        let options = [
            // The directory that it runs in, whose path may be no text.
            "--git-dir=.",
            // Credentials are for the place that the fleet names and for no other.
            "-c",
            "http.followRedirects=false",
            // What a remote sends is checked: no entry of a tree may lead out of it.
            "-c",
            "transfer.fsckObjects=true",
        ];
        self.git.run(&self.path, &options, command, arguments)
    }

    /// Notes where the remote's branch is.
    fn remember(&self, commit: Option<Id>) -> Result<(), Error> {
        let tracking = tracking(&self.reference);
        let outcome = match commit {
            Some(commit) => self.git("update-ref", &[&tracking, &commit.to_string()])?,
            None => self.git("update-ref", &["-d", &tracking])?,
        };
        outcome.success()?;
        Ok(())
    }

    fn replace(&self) -> Result<(), Error> {
        let store = make_anew(&self.git, &self.path, self.branch())?;
        *self.store.write().unwrap_or_else(PoisonError::into_inner) = store;
        Ok(())
    }

    fn repository(&self) -> gix::Repository {
        self.store
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .to_thread_local()
    }
}

/// Where the cache notes the remote's branch.
fn tracking(reference: &str) -> String {
    reference.replacen("refs/heads/", "refs/remotes/origin/", 1)
}

fn open(path: &Path) -> gix::Result<gix::ThreadSafeRepository> {
    gix::open::Options::isolated()
        .open_path_as_is(true)
        .open(path)
}

/// Puts a new repository in the place of whatever is at `path`.
fn make_anew(git: &Git, path: &Path, branch: &str) -> Result<gix::ThreadSafeRepository, Error> {
    if path.exists() {
        // Out of the way in one step, so that a path is never half a repository.
        let parent = path.parent().unwrap_or(Path::new("/"));
        let waste = tempfile::Builder::new()
            .prefix(".damaged-")
            .tempdir_in(parent)
            .map_err(Error::io(parent))?;
        fs_err::rename(path, waste.path().join("repository")).map_err(Error::io(path))?;
    }
    create_bare(git, path, branch)?;
    open(path).map_err(|error| Error::Repository {
        path: path.to_owned(),
        message: reason(&error),
    })
}

/// Holds the cache against others until dropped; the system lets go of it when we die. Who waits for it may
/// wait for a remote that never answers someone else, and can be ended meanwhile.
fn lock(repository: &Path) -> Result<File, Error> {
    let path = repository.with_extension("lock");
    let file = fs_err::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(Error::io(&path))?
        .into_file();
    match grove_exec::lock(&file, Some(LOCK_WAIT)) {
        Ok(()) => Ok(file),
        Err(error) if error.kind() == std::io::ErrorKind::TimedOut => Err(Error::CacheBusy {
            path,
            seconds: LOCK_WAIT.as_secs(),
        }),
        Err(source) => Err(Error::Io { path, source }),
    }
}
