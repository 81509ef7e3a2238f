//! Running the `git` program.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use grove_exec::{ExecError, Invocation, Outcome, Variables, Version, probe};

use super::remote::gist;
use crate::Error;

/// The oldest `git` that is tried: the one of the oldest long-term distributions still supported.
const OLDEST: [u64; 2] = [2, 34];

/// The `git` program and how it is called: without questions on the terminal, with messages in
/// English (they are read), and with nothing of the caller's environment but what Git needs to find
/// its configuration, keys and credentials.
#[derive(Clone, Debug)]
pub struct Git {
    variables: BTreeMap<String, String>,
    timeout: Duration,
    checked: Arc<OnceLock<()>>,
}

impl Default for Git {
    fn default() -> Self {
        Self {
            variables: BTreeMap::new(),
            timeout: Duration::from_mins(5),
            checked: Arc::default(),
        }
    }
}

impl Git {
    /// Adds an environment variable for every run; it wins over the caller's.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Sets the time that one run may take; 300 s where nothing is said.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs `git COMMAND ARGUMENTS` in `directory`, with `options` before the command, and gives what
    /// it wrote, whether it succeeded or not.
    pub(crate) fn run(
        &self,
        directory: &Path,
        options: &[&str],
        command: &str,
        arguments: &[&str],
    ) -> Result<Outcome, Error> {
        self.check()?;
        let mut invocation = Invocation::new("git")
            // A file system monitor is a program that the repository names.
            .args(["-c", "core.fsmonitor=false"])
            // What Git leaves running in the background would outlive us and our locks.
            .args([
                "-c",
                "gc.autoDetach=false",
                "-c",
                "maintenance.autoDetach=false",
            ])
            .args(options)
            .arg(command)
            .args(arguments)
            .cwd(directory)
            .pass(Variables::Network)
            .pass(Variables::Ssh)
            .pass(Variables::Git)
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            // Never a transport that runs a program which the remote's text names (`ext::`).
            .env("GIT_ALLOW_PROTOCOL", "file:https:http:ssh")
            // ssh asks a program in place of the terminal, and fails where there is none.
            .env("SSH_ASKPASS_REQUIRE", "force")
            .timeout(self.timeout)
            .output_limit(64 << 20);
        for (name, value) in &self.variables {
            invocation = invocation.env(name, value);
        }
        invocation.run_any().map_err(|error| match error {
            ExecError::TimedOut { after, .. } => Error::GitTimeout {
                command: command.to_owned(),
                seconds: after.as_secs(),
            },
            other => Error::Exec(other),
        })
    }

    /// Like [`Self::run`], but an error where `git` does not succeed; gives its standard output.
    pub(crate) fn text(
        &self,
        directory: &Path,
        options: &[&str],
        command: &str,
        arguments: &[&str],
    ) -> Result<String, Error> {
        let outcome = self.run(directory, options, command, arguments)?;
        if !outcome.status.success() {
            return Err(Error::Git {
                command: command.to_owned(),
                message: gist(&String::from_utf8_lossy(&outcome.stderr)),
            });
        }
        Ok(String::from_utf8_lossy(&outcome.stdout).into_owned())
    }

    /// Whether `git` is there and new enough; asked once.
    fn check(&self) -> Result<(), Error> {
        if self.checked.get().is_none() {
            probe(
                "git",
                &["version"],
                &Version::new(OLDEST),
                "install git 2.34 or newer",
            )?;
            // Another thread may have asked at the same time, with the same answer.
            let _: Result<(), ()> = self.checked.set(());
        }
        Ok(())
    }
}
