//! How a run ended.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use crate::ExecError;

/// What a program left behind.
#[derive(Debug)]
pub struct Outcome {
    /// The program, as errors name it.
    pub(crate) program: String,
    /// How it ended.
    pub status: ExitStatus,
    /// All that it wrote to standard output.
    pub stdout: Vec<u8>,
    /// The end of what it wrote to standard error, 64 KiB at most.
    pub stderr: Vec<u8>,
    /// From its start to its end.
    pub duration: Duration,
}

impl Outcome {
    /// Itself where the program ended with status 0, else [`ExecError::Failed`].
    pub fn success(self) -> Result<Self, ExecError> {
        if self.status.success() {
            return Ok(self);
        }
        Err(ExecError::Failed {
            status: describe(self.status),
            stderr: last_lines(&self.stderr),
            program: self.program,
        })
    }

    /// Standard output as text.
    pub fn text(self) -> Result<String, ExecError> {
        String::from_utf8(self.stdout).map_err(|_| ExecError::NotText {
            program: self.program,
        })
    }
}

/// A status in words.
pub(crate) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended in an unknown way".to_owned(),
    }
}

/// The last twenty lines of what a program wrote to standard error, without what a terminal would
/// act on.
pub(crate) fn last_lines(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(20)..]
        .iter()
        .map(|line| {
            line.trim_end()
                .replace(|c: char| c.is_control() && c != '\t', "")
        })
        .collect::<Vec<_>>()
        .join("\n")
}
