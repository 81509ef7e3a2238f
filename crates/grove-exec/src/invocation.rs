//! One run of one program.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use crate::running::Waited;
use crate::{
    Caller, ExecError, Outcome, Running, Sandbox, Variables, caller, find, processes, variables,
};

/// One run of one program: nothing of the caller's surroundings reaches it but what is said here.
///
/// Secrets belong into [`stdin`](Self::stdin), never into arguments or variables, which other
/// users of the machine can read.
#[derive(Clone)]
pub struct Invocation {
    program: OsString,
    args: Vec<OsString>,
    cwd: Option<PathBuf>,
    env: BTreeMap<OsString, OsString>,
    groups: Vec<Variables>,
    single: Vec<String>,
    stdin: Option<Vec<u8>>,
    timeout: Option<Duration>,
    output_limit: usize,
    farewell: Duration,
    sandbox: Option<Sandbox>,
    hint: Option<String>,
}

impl Invocation {
    /// A run of `program`, a name that is looked up on `PATH` or a path with a slash in it.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            cwd: None,
            env: BTreeMap::new(),
            groups: Vec::new(),
            single: Vec::new(),
            stdin: None,
            timeout: None,
            output_limit: 256 << 20,
            farewell: processes::FAREWELL,
            sandbox: None,
            hint: None,
        }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item: Into<OsString>>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// The directory to run in; Grove's own otherwise.
    #[must_use]
    pub fn cwd(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cwd = Some(directory.into());
        self
    }

    /// A variable of the program's environment, over what passes from Grove's own.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Lets a group of variables of Grove's own environment pass.
    #[must_use]
    pub fn pass(mut self, group: Variables) -> Self {
        self.groups.push(group);
        self
    }

    /// Lets one variable of Grove's own environment pass.
    #[must_use]
    pub fn pass_env(mut self, name: impl Into<String>) -> Self {
        self.single.push(name.into());
        self
    }

    /// What the program reads from standard input; it is empty otherwise.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// How long it may run; without end otherwise.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// How many bytes it may write to standard output, 256 MiB unless stated.
    #[must_use]
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.output_limit = bytes;
        self
    }

    /// How long it may take to end when Grove is interrupted, a second unless stated: for a program
    /// that must not be cut off in the middle.
    #[must_use]
    pub fn farewell(mut self, limit: Duration) -> Self {
        self.farewell = limit;
        self
    }

    /// Confines it.
    #[must_use]
    pub fn sandbox(mut self, sandbox: Sandbox) -> Self {
        self.sandbox = Some(sandbox);
        self
    }

    /// How to get the program, for the error that says it is missing.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Runs it to its end; a status other than 0 is [`ExecError::Failed`].
    pub fn run(&self) -> Result<Outcome, ExecError> {
        self.run_any()?.success()
    }

    /// Runs it to its end, whatever its status.
    pub fn run_any(&self) -> Result<Outcome, ExecError> {
        let mut running = self.start(if self.stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })?;
        let stdout = running
            .collect_stdout(self.output_limit)
            .map_err(|source| self.broken(source))?;
        if let (Some(bytes), Some(mut pipe)) = (self.stdin.clone(), running.take_stdin()) {
            let writer = thread::Builder::new().spawn(move || {
                // A program may end without having read everything.
                drop(pipe.write_all(&bytes));
            });
            writer.map_err(|source| self.broken(source))?;
        }
        let started = running.started();
        let deadline = self.timeout.map(|limit| started + limit);
        let waited = running
            .wait_until(deadline)
            .map_err(|source| self.broken(source))?;
        match waited {
            Waited::Ended(status) if !status.success() && Caller::is_ended() => Err(self.ended()),
            Waited::Ended(status) => Ok(Outcome {
                program: self.name(),
                status,
                stdout: stdout.take(),
                stderr: running.stderr().take(),
                duration: started.elapsed(),
            }),
            Waited::TimedOut => Err(ExecError::TimedOut {
                program: self.name(),
                after: self.timeout.unwrap_or_default(),
            }),
            Waited::Flooded => Err(ExecError::TooMuchOutput {
                program: self.name(),
                limit: self.output_limit,
            }),
        }
    }

    /// Starts it with standard input and output as pipes, for a conversation. The time limit does
    /// not apply: the caller knows when it expects which answer.
    pub fn spawn(&self) -> Result<Running, ExecError> {
        self.start(Stdio::piped())
    }

    /// Runs a program that talks to the user: it shares Grove's terminal and process group.
    pub fn interact(&self) -> Result<ExitStatus, ExecError> {
        self.command()?
            .status()
            .map_err(|source| self.broken(source))
    }

    /// The program, as errors name it: its file name and its sub-command where it has one.
    fn name(&self) -> String {
        let program = PathBuf::from(&self.program);
        let mut name = program
            .file_name()
            .unwrap_or(&self.program)
            .display()
            .to_string();
        let command = self.args.first().map(|arg| arg.display().to_string());
        if let Some(command) = command
            && !command.is_empty()
            && command.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            && !command.starts_with('-')
        {
            name.push(' ');
            name.push_str(&command);
        }
        name
    }

    fn start(&self, stdin: Stdio) -> Result<Running, ExecError> {
        if Caller::is_ended() {
            return Err(self.ended());
        }
        let mut command = self.command()?;
        command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        processes::start(command, self.farewell)
            .and_then(|(child, group)| Running::new(self.name(), child, group))
            .map_err(|source| self.broken(source))
    }

    /// The command, with a clean environment and, where it is confined, behind its launcher.
    fn command(&self) -> Result<Command, ExecError> {
        let path = find(&self.program).ok_or_else(|| ExecError::Missing {
            program: self.program.display().to_string(),
            hint: self.hint.clone(),
        })?;
        let mut line: Vec<OsString> = Vec::new();
        if let Some(sandbox) = &self.sandbox {
            let launch = sandbox.launch(&path).map_err(|reason| ExecError::Sandbox {
                program: self.name(),
                reason,
            })?;
            line.extend(launch);
        }
        line.push(path.into());
        line.extend(self.args.iter().cloned());
        #[expect(
            clippy::disallowed_methods,
            reason = "this crate is where programs are started"
        )]
        let mut command = Command::new(&line[0]);
        command
            .args(&line[1..])
            .env_clear()
            .envs(variables::passing(
                caller::variables().into_iter(),
                &self.groups,
                &self.single,
                self.sandbox.is_some(),
            ))
            .envs(&self.env);
        if let Some(directory) = &self.cwd {
            command.current_dir(directory);
        }
        Ok(command)
    }

    fn ended(&self) -> ExecError {
        ExecError::Ended {
            program: self.name(),
        }
    }

    fn broken(&self, source: io::Error) -> ExecError {
        ExecError::Start {
            program: self.name(),
            source,
        }
    }
}

impl fmt::Debug for Invocation {
    /// The command line alone: variables and input may hold secrets.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Invocation")
            .field("program", &self.program)
            .field("args", &self.args)
            .finish_non_exhaustive()
    }
}
