//! What can go wrong, and what to do about it.

use std::path::PathBuf;

use crate::{Conflict, Id, WayBack};

/// Why something could not be read from, or written to, a Git repository.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The `git` program is missing, too old or could not be run.
    #[error(transparent)]
    Exec(#[from] grove_exec::ExecError),
    /// A run of `git` failed in a way that has no name here.
    #[error("`git {command}` failed: {message}")]
    Git {
        /// Its sub-command.
        command: String,
        /// What it said, without progress.
        message: String,
    },
    /// A run of `git` was ended because it took too long.
    #[error("`git {command}` did not finish in {seconds} s")]
    GitTimeout {
        /// Its sub-command.
        command: String,
        /// The limit.
        seconds: u64,
    },
    /// The file system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// No Git repository holds this directory.
    #[error("{} is not in a Git repository", .0.display())]
    NotARepository(PathBuf),
    /// A repository that cannot be read.
    #[error("the Git repository {} cannot be read: {message}", path.display())]
    Repository {
        /// Where it is.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// A revision that the repository does not know.
    #[error("the repository has no revision `{0}`")]
    UnknownRevision(String),
    /// The fleet's directory is not in the revision.
    #[error("revision {} has no directory `{path}`", revision.short())]
    NoDirectory {
        /// The commit.
        revision: Id,
        /// The directory, from the repository's root.
        path: String,
    },
    /// More files or bytes than a fleet may have.
    #[error("more than {limit} below {place}")]
    TooMuch {
        /// The limit, in words.
        limit: &'static str,
        /// What was read.
        place: String,
    },
    /// A tree entry whose name could lead out of its directory.
    #[error("a Git tree holds an entry with the name `{0}`")]
    HostileName(String),

    /// A remote that is not used: it could run a program, or shows a password.
    #[error("the deploy remote cannot be used: {0}")]
    RemoteInvalid(&'static str),
    /// Nothing is there.
    #[error("there is no repository at {remote}: {message}")]
    RemoteMissing {
        /// The remote, without credentials.
        remote: String,
        /// What `git` said.
        message: String,
    },
    /// It is there and says no.
    #[error("{remote} refused access: {message}")]
    RemoteRefused {
        /// The remote, without credentials.
        remote: String,
        /// What `git` said.
        message: String,
    },
    /// It answers that it lives somewhere else now.
    #[error("{remote} has moved{}", to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default())]
    RemoteMoved {
        /// The remote, without credentials.
        remote: String,
        /// Where to, if it says so.
        to: Option<String>,
    },
    /// The network did not lead there.
    #[error("{remote} cannot be reached: {message}")]
    RemoteUnreachable {
        /// The remote, without credentials.
        remote: String,
        /// What `git` said.
        message: String,
    },
    /// The remote took the connection and did not take the commit.
    #[error("{remote} rejected {branch}: {reason}{}", lines(messages))]
    Rejected {
        /// The remote, without credentials.
        remote: String,
        /// The branch, as `deploy/prod`.
        branch: String,
        /// The reason that it gave.
        reason: String,
        /// What its hooks said, a line each.
        messages: Vec<String>,
    },
    /// A deploy repository was to be made where something is already.
    #[error("{} is there already and is not a Git repository", .0.display())]
    NotEmpty(PathBuf),
    /// Only a path can be made.
    #[error("{0} is not a local path, so no repository can be made there")]
    NotLocal(String),

    /// Another process holds the cache.
    #[error("another Grove has been using {} for {seconds} s", path.display())]
    CacheBusy {
        /// The lock file.
        path: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The cache lacks objects, and making it anew did not help.
    #[error("Git objects are missing or damaged in {}: {message}", path.display())]
    Damaged {
        /// The cache's repository.
        path: PathBuf,
        /// Which object, and why.
        message: String,
    },

    /// The branch was there and is gone.
    #[error("{branch} is gone from {remote}; it was at {last}")]
    BranchGone {
        /// The remote, without credentials.
        remote: String,
        /// The branch, as `deploy/prod`.
        branch: String,
        /// Its last known commit.
        last: Id,
        /// Where that can be brought back from.
        back: Box<WayBack>,
    },
    /// There is no branch, in a repository that has others.
    #[error("{remote} has no branch {branch}, and is not empty")]
    BranchMissing {
        /// The remote, without credentials.
        remote: String,
        /// The branch, as `deploy/prod`.
        branch: String,
    },
    /// Another history took the place of the branch's own.
    #[error("{branch} of {remote} is at {tip}, which lacks {last}, where Grove left it")]
    BranchReplaced {
        /// The remote, without credentials.
        remote: String,
        /// The branch, as `deploy/prod`.
        branch: String,
        /// Its newest commit.
        tip: Id,
        /// The commit that it had.
        last: Id,
        /// Where that can be brought back from.
        back: Box<WayBack>,
    },
    /// A newer Grove wrote this.
    #[error("{what} has format version {found}, this Grove knows {known}")]
    Newer {
        /// What was read.
        what: String,
        /// The version that it states.
        found: u64,
        /// The newest that this program knows.
        known: u32,
    },
    /// A file of the deploy branch that is not what it should be.
    #[error("`{path}` of the deploy branch is not valid: {message}")]
    Invalid {
        /// The file, from the branch's root.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// A path that cannot stand in a deploy branch.
    #[error("`{0}` cannot be the path of a file of a deploy branch")]
    InvalidPath(String),
    /// There is no such release.
    #[error("{instance} has no release {release:04}")]
    NoRelease {
        /// The instance.
        instance: String,
        /// The number that was asked for.
        release: u32,
    },
    /// The tree that a record names is not in the repository.
    #[error("the tree {} of the release is not in the deploy repository", .0.short())]
    NoTree(Id),
    /// Someone else changed the same instance.
    #[error(transparent)]
    Conflict(Box<Conflict>),
    /// Others were faster each time.
    #[error("others wrote to {branch} each time: {tries} tries in {seconds} s")]
    Contended {
        /// The branch, as `deploy/prod`.
        branch: String,
        /// How often it was tried.
        tries: u32,
        /// How long.
        seconds: u64,
    },
}

impl Error {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Exec(error) => return error.hint(),
            Self::GitTimeout { .. } | Self::RemoteUnreachable { .. } => {
                "check the network and run the command again; nothing was half written"
            }
            Self::NotARepository(_) => "run `git init` and commit the fleet, or pass `--local`",
            Self::UnknownRevision(_) => "fetch it first, or check its spelling",
            Self::NoDirectory { .. } => "the fleet may have been elsewhere at that revision",
            Self::TooMuch { .. } => "keep large and generated files out of the fleet's directories",
            Self::RemoteInvalid(_) => {
                "state a path, or an ssh or https URL without a password; a credential helper knows the password"
            }
            Self::RemoteMissing { .. } => {
                "create the repository, correct `deploy.remote` in grove.yaml, or pass `--create-remote` for a local path; \
                 some forges say so too when access is missing"
            }
            Self::RemoteRefused { .. } => {
                "check your ssh key or credential helper, and that you may read and write there"
            }
            Self::RemoteMoved { .. } => "set `deploy.remote` in grove.yaml to the new place",
            Self::Rejected { .. } => {
                "the remote's own rules decide (branch protection, hooks); allow this account to push there"
            }
            Self::CacheBusy { .. } => {
                "run the command again when that is done; `--wait-for-turn SECONDS` says how long it waits"
            }
            Self::Damaged { .. } => "delete that directory; it is a cache and is made again",
            Self::BranchGone {
                remote,
                branch,
                last,
                back,
            } => {
                return Some(format!(
                    "`{}` brings it back",
                    back.command(remote, branch, *last)
                ));
            }
            Self::BranchMissing { .. } => {
                "if nothing was ever released there, `grove deploy --first-release` begins it"
            }
            Self::BranchReplaced {
                remote,
                branch,
                tip,
                last,
                back,
            } => {
                let cluster = branch.trim_start_matches("deploy/");
                return Some(format!(
                    "`{}` brings back what was there; if what is there now is meant, \
                     `git push --force {remote} {tip}:refs/grove/{cluster}` says so",
                    back.command(remote, branch, *last)
                ));
            }
            Self::Newer { .. } => "use a Grove at least as new as the one that wrote it",
            Self::Invalid { .. } | Self::NoTree(_) => {
                "someone changed the deploy branch by hand; `git log` of that path tells who"
            }
            Self::NoRelease { .. } => "`grove history` lists the releases",
            Self::Conflict(_) => {
                "look at what they deployed with `grove history`, then run the command again"
            }
            Self::Contended { .. } => {
                "run the command again; `--wait-for-turn SECONDS` says how long it waits"
            }
            Self::Git { .. }
            | Self::Io { .. }
            | Self::Repository { .. }
            | Self::HostileName(_)
            | Self::NotEmpty(_)
            | Self::NotLocal(_)
            | Self::InvalidPath(_) => return None,
        };
        Some(hint.to_owned())
    }

    /// An error of a file or directory.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

impl From<Conflict> for Error {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(Box::new(conflict))
    }
}

/// Lines below a message, each indented.
fn lines(messages: &[String]) -> String {
    messages.iter().flat_map(|line| ["\n  ", line]).collect()
}
