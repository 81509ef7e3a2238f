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

use super::{
    Database, Git, Remote,
    create::create_bare,
    mark::{Form, Mark},
    objects::reason,
    remote::gist,
    report::Report,
};
use crate::{Error, Id, layout};

/// How long another process is waited for.
const LOCK_WAIT: Duration = Duration::from_mins(2);

/// How often a fetch looks at what there is, where that changes meanwhile.
const LOOKS: u32 = 3;

/// One branch of a remote and where it is cached.
pub(crate) struct Cache {
    git: Git,
    remote: Remote,
    /// The whole name, `refs/heads/…`.
    reference: String,
    mark: Mark,
    path: PathBuf,
    store: RwLock<gix::ThreadSafeRepository>,
    /// Whether it was made anew already; once is enough.
    repaired: AtomicBool,
}

/// What a remote has of a branch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Its newest commit; none where there is no branch.
    pub(crate) tip: Option<Id>,
    /// The commit that its second reference names; none where there is no such reference.
    pub(crate) mark: Option<Id>,
    /// Whether the remote has no reference at all. Looked at where there is no branch.
    pub(crate) is_empty: bool,
}

/// How a push ended.
pub(crate) enum Pushed {
    /// The remote has the commit.
    Done {
        /// What it said, a line each.
        messages: Vec<String>,
        /// What its second reference names now.
        mark: Option<Id>,
        /// Why it takes no second reference, where that is so.
        unmarked: Option<String>,
    },
    /// The branch was not where it was expected.
    Raced,
    /// Something else; whether the remote has the commit is for the next fetch to tell.
    Failed(Error),
}

impl Cache {
    /// Opens the cache of the branch of `cluster` of `remote` below the directory `caches`, or makes it.
    pub(crate) fn open(
        git: &Git,
        remote: &Remote,
        cluster: &str,
        caches: &Path,
    ) -> Result<Self, Error> {
        let branch = layout::branch_name(cluster);
        // One repository a branch: two clusters of one remote never wait for each other.
        let name = Sha256::digest(format!("{remote}\0{branch}"));
        let name = hex(name.get(..16).unwrap_or_default());
        let path = caches.join(format!("{name}.git"));
        fs_err::create_dir_all(caches).map_err(Error::io(caches))?;
        let _lock = lock(&path)?;
        let store = match open(&path) {
            Ok(store) => store,
            Err(_) => make_anew(git, &path, &branch)?,
        };
        Ok(Self {
            git: git.clone(),
            remote: remote.clone(),
            reference: format!("refs/heads/{branch}"),
            mark: Mark::of(cluster),
            path,
            store: RwLock::new(store),
            repaired: AtomicBool::new(false),
        })
    }

    pub(crate) fn remote(&self) -> &Remote {
        &self.remote
    }

    /// The repository's directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps other writers of this machine waiting until what this gives is dropped. `waits` is called where
    /// one of them is at it.
    pub(crate) fn turn(&self, limit: Duration, waits: &dyn Fn()) -> Result<File, Error> {
        let path = self.path.with_extension("turn");
        let file = lock_file(&path)?;
        match grove_exec::lock(&file, Some(Duration::ZERO)) {
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                waits();
                wait_for(file, path, limit)
            }
            Err(source) => Err(Error::Io { path, source }),
            Ok(()) => Ok(file),
        }
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

    /// Brings the branch here, and says what the remote has of it.
    pub(crate) fn fetch(&self) -> Result<Seen, Error> {
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

    /// The commit at which the last fetch or push saw the branch. It stays known where the branch is gone.
    pub(crate) fn known(&self) -> Option<Id> {
        self.noted(&tracking(&self.reference))
    }

    /// Keeps a commit that the branch lacks, so that it can be brought back from here.
    pub(crate) fn keep(&self, commit: Id) -> Result<(), Error> {
        let _lock = lock(&self.path)?;
        let lost = format!("refs/lost/{commit}");
        self.note(&lost, Some(commit))
    }

    /// Makes `commit` the remote's branch, and what the second reference names, if both are as they were
    /// seen.
    pub(crate) fn push(&self, commit: Id, seen: Seen) -> Result<Pushed, Error> {
        let _lock = lock(&self.path)?;
        let here = self.mark_here();
        let forms = Form::ALL.into_iter().filter(|form| match here {
            Some(here) => *form == here,
            None => true,
        });
        let mut refused = None;
        for form in forms {
            let outcome = self.push_both(commit, seen, form)?;
            match Report::of(&outcome, &self.reference, self.mark.reference(form)) {
                Report::Done(messages) => {
                    self.pushed(commit);
                    // Where the note cannot be written, the next fetch writes it.
                    drop(self.note(self.mark.reference(form), Some(commit)));
                    return Ok(Pushed::Done {
                        messages,
                        mark: Some(commit),
                        unmarked: None,
                    });
                }
                Report::BranchOnly { messages, reason } => {
                    self.pushed(commit);
                    return Ok(self.mark_after(commit, seen, messages, &reason));
                }
                Report::NotAtomic => {
                    let pushed = self.push_alone(commit, seen, None)?;
                    return Ok(match pushed {
                        Pushed::Done { messages, .. } => {
                            self.mark_after(commit, seen, messages, "it takes one at a time")
                        }
                        other => other,
                    });
                }
                Report::MarkRefused(reason) => refused = Some(reason),
                Report::Raced => return Ok(Pushed::Raced),
                Report::Rejected { reason, messages } => {
                    return Ok(Pushed::Failed(self.rejected(reason, messages)));
                }
                Report::Failed => return Ok(Pushed::Failed(self.failed_push(&outcome))),
            }
        }
        self.push_alone(commit, seen, refused)
    }

    /// Pushes the branch and the second reference.
    fn push_both(&self, commit: Id, seen: Seen, form: Form) -> Result<grove_exec::Outcome, Error> {
        let mark = self.mark.reference(form);
        let seen_mark = self.mark_in(form, seen);
        let words = vec![
            "--atomic".to_owned(),
            lease(&self.reference, seen.tip),
            lease(mark, seen_mark),
        ];
        let mut references = vec![
            format!("{commit}:{}", self.reference),
            format!("{commit}:{mark}"),
        ];
        // A branch that begins anew takes the place of one that is gone: its last commit stays there.
        if let (None, Some(last)) = (seen.tip, seen_mark) {
            references.push(format!("{last}:{}", self.mark.kept(form, last)));
        }
        self.push_words(words, references)
    }

    /// Pushes the branch without its second reference, which was `refused`.
    fn push_alone(
        &self,
        commit: Id,
        seen: Seen,
        unmarked: Option<String>,
    ) -> Result<Pushed, Error> {
        let outcome = self.push_words(
            vec![lease(&self.reference, seen.tip)],
            vec![format!("{commit}:{}", self.reference)],
        )?;
        Ok(match Report::of(&outcome, &self.reference, "") {
            Report::Done(messages) => {
                self.pushed(commit);
                Pushed::Done {
                    messages,
                    mark: seen.mark,
                    unmarked,
                }
            }
            Report::Raced => Pushed::Raced,
            Report::Rejected { reason, messages } => {
                Pushed::Failed(self.rejected(reason, messages))
            }
            _ => Pushed::Failed(self.failed_push(&outcome)),
        })
    }

    /// Brings the second reference to a commit that the branch has: so it is never ahead of the branch. Where
    /// that fails, the next push may bring it there.
    fn mark_after(&self, commit: Id, seen: Seen, messages: Vec<String>, why: &str) -> Pushed {
        for form in Form::ALL {
            let mark = self.mark.reference(form);
            let outcome = self.push_words(
                vec![lease(mark, self.mark_in(form, seen))],
                vec![format!("{commit}:{mark}")],
            );
            if outcome.is_ok_and(|outcome| outcome.status.success()) {
                drop(self.note(mark, Some(commit)));
                return Pushed::Done {
                    messages,
                    mark: Some(commit),
                    unmarked: None,
                };
            }
        }
        Pushed::Done {
            messages,
            mark: seen.mark,
            unmarked: Some(why.to_owned()),
        }
    }

    /// The commit that the second reference was seen to name in one of its forms.
    fn mark_in(&self, form: Form, seen: Seen) -> Option<Id> {
        seen.mark.filter(|_| self.mark_here() == Some(form))
    }

    /// Notes that the remote has it; where the note cannot be written, the next fetch writes it.
    fn pushed(&self, commit: Id) {
        drop(self.note(&tracking(&self.reference), Some(commit)));
    }

    fn rejected(&self, reason: String, messages: Vec<String>) -> Error {
        Error::Rejected {
            remote: self.remote.to_string(),
            branch: self.branch().to_owned(),
            reason,
            messages,
        }
    }

    fn failed_push(&self, outcome: &grove_exec::Outcome) -> Error {
        self.failure("push", &String::from_utf8_lossy(&outcome.stderr))
    }

    fn push_words(
        &self,
        words: Vec<String>,
        references: Vec<String>,
    ) -> Result<grove_exec::Outcome, Error> {
        let mut all = vec![
            "--porcelain".to_owned(),
            "--no-follow-tags".to_owned(),
            "--recurse-submodules=no".to_owned(),
        ];
        all.extend(words);
        all.push("--".to_owned());
        all.push(self.remote.as_str().to_owned());
        all.extend(references);
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        self.git("push", &all)
    }

    /// The branch without `refs/heads/`.
    pub(crate) fn branch(&self) -> &str {
        self.reference.trim_start_matches("refs/heads/")
    }

    fn fetch_locked(&self) -> Result<Seen, Error> {
        // Most often both are there, and the second one in the form in which it was.
        let form = self.mark_here().unwrap_or(Form::Reference);
        let mut wanted = vec![self.reference.as_str(), self.mark.reference(form)];
        let mut is_empty = false;
        for _ in 0..LOOKS {
            if wanted.is_empty() || self.fetch_these(&wanted)? {
                // What is gone from the remote is forgotten here, but for the branch's last commit.
                for form in Form::ALL.map(|form| self.mark.reference(form)) {
                    if !wanted.contains(&form) && self.noted(form).is_some() {
                        self.note(form, None)?;
                    }
                }
                let is_there = wanted.contains(&self.reference.as_str());
                let form = self.mark_here();
                return Ok(Seen {
                    tip: self.known().filter(|_| is_there),
                    mark: form.and_then(|form| self.noted(self.mark.reference(form))),
                    is_empty,
                });
            }
            let there = self.references()?;
            let is_there = |name: &str| there.iter().any(|reference| reference == name);
            is_empty = there.is_empty();
            wanted.clear();
            wanted.extend(Some(self.reference.as_str()).filter(|name| is_there(name)));
            let mut forms = Form::ALL.map(|form| self.mark.reference(form)).into_iter();
            wanted.extend(forms.find(|name| is_there(name)));
        }
        Err(Error::Git {
            command: "fetch".to_owned(),
            message: format!("{} comes and goes", self.branch()),
        })
    }

    /// Fetches references of these names; says whether all of them are there. Nothing is fetched where one is
    /// not.
    fn fetch_these(&self, references: &[&str]) -> Result<bool, Error> {
        let pairs: Vec<String> = references
            .iter()
            .map(|name| format!("+{name}:{}", tracking(name)))
            .collect();
        let mut words = vec![
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--recurse-submodules=no",
            "--",
            self.remote.as_str(),
        ];
        words.extend(pairs.iter().map(String::as_str));
        let outcome = self.git("fetch", &words)?;
        let stderr = String::from_utf8_lossy(&outcome.stderr);
        if outcome.status.success() {
            Ok(true)
        } else if stderr.contains("couldn't find remote ref") {
            Ok(false)
        } else {
            Err(self.failure("fetch", &stderr))
        }
    }

    /// The names of the remote's references.
    fn references(&self) -> Result<Vec<String>, Error> {
        let outcome = self.git("ls-remote", &["--refs", "--", self.remote.as_str()])?;
        if !outcome.status.success() {
            let stderr = String::from_utf8_lossy(&outcome.stderr);
            return Err(self.failure("ls-remote", &stderr));
        }
        let stdout = String::from_utf8_lossy(&outcome.stdout);
        let names = stdout.lines().filter_map(|line| line.split_once('\t'));
        Ok(names.map(|(_, name)| name.to_owned()).collect())
    }

    /// The form in which the second reference was seen.
    fn mark_here(&self) -> Option<Form> {
        let mut forms = Form::ALL.into_iter();
        forms.find(|form| self.noted(self.mark.reference(*form)).is_some())
    }

    /// What a reference of the cache names.
    fn noted(&self, name: &str) -> Option<Id> {
        let repo = self.repository();
        let reference = repo.try_find_reference(name).ok()??;
        reference.try_id().map(|id| id.detach().into())
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

    /// Makes a reference of the cache name a commit, or takes it away.
    fn note(&self, name: &str, commit: Option<Id>) -> Result<(), Error> {
        let outcome = match commit {
            Some(commit) => self.git("update-ref", &[name, &commit.to_string()])?,
            None => self.git("update-ref", &["-d", name])?,
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

/// Only pushes where a reference is as it was seen; none: if there is no such reference.
fn lease(reference: &str, seen: Option<Id>) -> String {
    let seen = seen.map(|id| id.to_string()).unwrap_or_default();
    format!("--force-with-lease={reference}:{seen}")
}

/// Where the cache notes a reference of the remote: a branch elsewhere, all others under their own names.
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
    wait_for(lock_file(&path)?, path, LOCK_WAIT)
}

fn lock_file(path: &Path) -> Result<File, Error> {
    let file = fs_err::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(Error::io(path))?;
    Ok(file.into_file())
}

fn wait_for(file: File, path: PathBuf, limit: Duration) -> Result<File, Error> {
    match grove_exec::lock(&file, Some(limit)) {
        Ok(()) => Ok(file),
        Err(error) if error.kind() == std::io::ErrorKind::TimedOut => Err(Error::CacheBusy {
            path,
            seconds: limit.as_secs(),
        }),
        Err(source) => Err(Error::Io { path, source }),
    }
}
