//! What can go wrong with an external program.

use std::io;
use std::time::Duration;

use crate::Version;

/// Why a program did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The program is not on `PATH`, or the path given is not an executable file.
    #[error("`{program}` was not found")]
    Missing {
        /// The program as it was asked for.
        program: String,
        /// How to get it, where the caller knows.
        hint: Option<String>,
    },
    /// The program is older than what Grove relies on.
    #[error("`{program}` is version {found}, at least {needed} is needed")]
    TooOld {
        /// The program as it was asked for.
        program: String,
        /// What it says it is.
        found: Version,
        /// The least that works.
        needed: Version,
        /// How to get a newer one, where the caller knows.
        hint: Option<String>,
    },
    /// The program printed no version where it was asked for one.
    #[error("`{program}` does not say which version it is")]
    NoVersion {
        /// The program as it was asked for.
        program: String,
    },
    /// The operating system did not start it, or its pipes broke.
    #[error("`{program}` could not be run: {source}")]
    Start {
        /// The program as it was asked for.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// Whoever asked for it ended the work that it was part of.
    #[error("`{program}` was ended with the work that it was part of")]
    Ended {
        /// The program as it was asked for.
        program: String,
    },
    /// It ended with a status other than 0.
    #[error("`{program}` {status}{}", after_colon(.stderr))]
    Failed {
        /// The program and, where it has one, its sub-command.
        program: String,
        /// `exited with 2` or `was ended by signal 9`.
        status: String,
        /// The last lines that it wrote to standard error.
        stderr: String,
    },
    /// It ran longer than it may and was ended.
    #[error("`{program}` did not finish in {} seconds and was ended", .after.as_secs_f32())]
    TimedOut {
        /// The program as it was asked for.
        program: String,
        /// The limit.
        after: Duration,
    },
    /// It wrote more than the caller can take and was ended.
    #[error("`{program}` wrote more than {limit} bytes and was ended")]
    TooMuchOutput {
        /// The program as it was asked for.
        program: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// Its output should be text and is not UTF-8.
    #[error("`{program}` wrote something that is not UTF-8")]
    NotText {
        /// The program as it was asked for.
        program: String,
    },
    /// The sandbox cannot be described to its launcher, as a path in it is not UTF-8.
    #[error("the sandbox for `{program}` cannot be described: {reason}")]
    Sandbox {
        /// The program as it was asked for.
        program: String,
        /// What is wrong with the description.
        reason: String,
    },
}

impl ExecError {
    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { hint, program } | Self::TooOld { hint, program, .. } => Some(
                hint.clone()
                    .unwrap_or_else(|| format!("install `{program}` and have it on PATH")),
            ),
            _ => None,
        }
    }
}

/// Standard error as the end of a message: nothing, or a colon and the text.
fn after_colon(stderr: &str) -> String {
    if stderr.is_empty() {
        String::new()
    } else {
        format!(": {stderr}")
    }
}
