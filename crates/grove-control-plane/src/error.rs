//! What can go wrong with a control plane.

use std::{path::PathBuf, time::Duration};

/// Why a control plane did not come about.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program of the machine is missing.
    #[error("`{program}` is not on PATH")]
    Missing {
        /// The program.
        program: &'static str,
        /// The package that brings it.
        package: &'static str,
    },
    /// A program could not be built from its Go module.
    #[error("`go {arguments}` failed in `{module}`: {message}")]
    Build {
        /// The module, as a folder of `e2e/`.
        module: String,
        /// What `go` was asked.
        arguments: String,
        /// What it said at the end.
        message: String,
    },
    /// A part did not become ready, or ended.
    #[error("{part} {what}; its log `{log}` ends in\n{tail}")]
    Part {
        /// The part.
        part: &'static str,
        /// What happened.
        what: String,
        /// The log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// Something took too long.
    #[error("{what} took more than {} s", .after.as_secs())]
    Slow {
        /// What was waited for.
        what: String,
        /// The limit.
        after: Duration,
    },
    /// There is no control plane in a directory.
    #[error("there is no control plane in `{0}`")]
    None(PathBuf),
    /// The API server refused something, or could not be reached.
    #[error(transparent)]
    Cluster(#[from] grove_cluster::Error),
    /// The operating system refused something.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A file or an answer is not what it should be.
    #[error("{what}: {message}")]
    Invalid {
        /// What it is.
        what: String,
        /// What is wrong.
        message: String,
    },
}

impl Error {
    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { package, .. } => {
                Some(format!("install it; Debian's package is `{package}`"))
            }
            Self::Build { .. } => Some(
                "Go 1.21 or later fetches the newer Go that a module asks for, if GOTOOLCHAIN is not `local`"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}
