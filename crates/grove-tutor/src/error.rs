//! What can go wrong with a distribution before it renders anything.

use std::io;
use std::path::PathBuf;

use grove_core::LockError;
use grove_exec::ExecError;

/// Why a distribution cannot be locked, or its environment not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No Python that is new enough is on `PATH`.
    #[error("no Python 3.10 or later was found")]
    NoPython,
    /// The Python there is comes without the parts that make virtual environments.
    #[error("{} cannot make a virtual environment: {reason}", python.display())]
    NoVenv {
        /// Which Python.
        python: PathBuf,
        /// What it said.
        reason: String,
    },
    /// A program failed.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// A file of the cache cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A package name, version, Git address or hash has a form that it cannot have.
    #[error("{what} `{text}` is not valid")]
    Invalid {
        /// What it should be.
        what: &'static str,
        /// What it is.
        text: String,
    },
    /// A line of a lock is not a pinned requirement with hashes.
    #[error("the lock has a line that is no pinned requirement: `{0}`")]
    Line(String),
    /// A lock that was just written cannot be read again.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Not all requirements can be met at once.
    #[error("the requirements cannot be resolved: {0}")]
    Unresolved(String),
    /// The package index has nothing of that version.
    #[error("the package index has no {package} {version}{}", match reason.as_str() { "" => String::new(), reason => format!(": {reason}") })]
    NotFound {
        /// The package.
        package: String,
        /// The version that was asked for.
        version: String,
        /// What pip warned of meanwhile.
        reason: String,
    },
    /// The source archive in the package index is another one than when the lock was made.
    #[error(
        "the source archive of {package} has changed: its hash is {found}, the lock has {wanted}"
    )]
    ArchiveChanged {
        /// The package.
        package: String,
        /// The lock's hash.
        wanted: String,
        /// Today's.
        found: String,
    },
    /// A commit cannot be fetched.
    #[error("commit {rev} of {git} cannot be fetched: {reason}")]
    Fetch {
        /// Where.
        git: String,
        /// Which.
        rev: String,
        /// What Git said.
        reason: String,
    },
    /// A package does not build.
    #[error("{package} does not build: {reason}")]
    Build {
        /// The package.
        package: String,
        /// What its build back end said.
        reason: String,
    },
    /// A build gave a wheel for one kind of machine.
    #[error("{package} builds to {file}, which fits one kind of machine only")]
    NotPure {
        /// The package.
        package: String,
        /// The wheel.
        file: String,
    },
    /// A source holds another package than the distribution says.
    #[error("{place} holds the package {found}, the distribution says {package}")]
    WrongPackage {
        /// Where the source is from.
        place: String,
        /// The package that the distribution names.
        package: String,
        /// What was built.
        found: String,
    },
    /// A build gave other bytes than when the lock was made.
    #[error("the wheel of {package} has the hash {found}, the lock has {wanted}")]
    WheelChanged {
        /// The package.
        package: String,
        /// The lock's hash.
        wanted: String,
        /// The new one.
        found: String,
    },
    /// A package under `plugins` carries no plugin.
    #[error("the package {0} has no Tutor plugin in it")]
    NotAPlugin(String),
    /// A plugin fails where Tutor loads it.
    #[error("the plugin {plugin} of {package} does not load: {reason}")]
    PluginFails {
        /// What Tutor calls it.
        plugin: String,
        /// Its package.
        package: String,
        /// The end of its traceback.
        reason: String,
    },
    /// A script of Grove's own answered something that is not its answer.
    #[error("{script} gave no valid answer: {reason}")]
    Answer {
        /// Which.
        script: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// What was just made is already damaged.
    #[error("{} was made and does not work", .0.display())]
    Unusable(PathBuf),
}

impl Error {
    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NoPython => "install Python 3.10 or later and have `python3` on PATH",
            Self::NoVenv { .. } => {
                "install the package that brings Python's `venv` and `ensurepip`; Debian and \
                 Ubuntu call it python3-venv"
            }
            Self::Exec(error) => return error.hint(),
            Self::Unresolved(reason) if reason.contains("no usable wheels") => {
                "name the package and its version under `packages` in the distribution: Grove \
                 builds what is named there where the package index has no wheel of it"
            }
            Self::Unresolved(_) => "change the versions in the distribution's file",
            Self::NotFound { .. } => {
                "check the version, and the package index that PIP_INDEX_URL or pip's \
                 configuration names"
            }
            Self::Fetch { .. } => {
                "check the address and the commit, and that `git fetch` from there works by hand"
            }
            Self::NotPure { .. } => "a package with compiled parts needs wheels in a package index",
            Self::ArchiveChanged { .. } => {
                "a published archive never changes: find out who changed it before you lock a new \
                 distribution"
            }
            Self::WheelChanged { .. } => {
                "its build is not reproducible, or its source was changed: build it to a wheel in \
                 a package index of your own, or lock a new distribution here"
            }
            Self::NotAPlugin(_) => "list a package that is no plugin under `packages`",
            Self::Line(_) | Self::Lock(_) => "make the lock again with `grove lock`",
            _ => return None,
        };
        Some(text.to_owned())
    }
}
