//! A root module, and the program that works on it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::ChildStdin,
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use grove_exec::{Invocation, Outcome, Running, Variables, find};
use serde_json::Value;

use crate::error::{CommandError, Exit, Result};

/// How long one run of the program may take.
const LIMIT: Duration = Duration::from_mins(30);
/// The most output of a run.
const OUTPUT: usize = 1 << 30;
/// How long the program may take to give a lock back.
const RELEASE: Duration = Duration::from_mins(1);

/// The program that is named, or the one that is there: `tofu`, else `terraform`.
pub(super) fn program(named: Option<&PathBuf>) -> Result<PathBuf> {
    if let Some(program) = named {
        // It is started in other directories than this one.
        return Ok(if program.components().count() > 1 {
            fs_err::canonicalize(program)?
        } else {
            program.clone()
        });
    }
    find("tofu").or_else(|| find("terraform")).ok_or_else(|| {
        CommandError::tool("neither `tofu` nor `terraform` is on PATH")
            .hint("install OpenTofu, or name the program with `--program`")
    })
}

/// A root module.
pub(super) struct Root<'a> {
    pub(super) program: &'a Path,
    pub(super) directory: &'a Path,
    /// Where the program keeps what `init` brings; its own place in the directory where nothing is said.
    pub(super) data: Option<PathBuf>,
}

impl Root<'_> {
    fn invocation(&self, words: &[&str]) -> Invocation {
        let mut invocation = Invocation::new(self.program)
            .args(words.iter().copied())
            .cwd(self.directory)
            .pass(Variables::Infrastructure)
            .pass(Variables::Kubernetes)
            .pass(Variables::Network)
            .pass(Variables::Ssh)
            .pass(Variables::Git)
            .env("TF_IN_AUTOMATION", "1")
            .timeout(LIMIT)
            .output_limit(OUTPUT);
        if let Some(data) = &self.data {
            invocation = invocation.env("TF_DATA_DIR", data);
        }
        invocation
    }

    /// Runs the program; it must succeed.
    pub(super) fn run(&self, words: &[&str]) -> Result<Outcome> {
        Ok(self.invocation(words).run()?)
    }

    /// Prepares the directory; one that was prepared already stays as it is.
    pub(super) fn init(&self) -> Result<()> {
        if self.data.is_none() && self.directory.join(".terraform").is_dir() {
            return Ok(());
        }
        self.run(&["init", "-input=false", "-no-color"]).map(drop)
    }

    /// A plan as JSON (<https://opentofu.org/docs/internals/json-format/>); takes no lock.
    pub(super) fn plan(&self, more: &[&str]) -> Result<Value> {
        let scratch = tempfile::tempdir()?;
        let file = scratch.path().join("plan").display().to_string();
        let out = format!("-out={file}");
        let words = ["plan", "-input=false", "-no-color", "-lock=false", &out];
        self.run(&[&words[..], more].concat())?;
        let text = self.run(&["show", "-json", "-no-color", &file])?.text()?;
        serde_json::from_str(&text).map_err(|error| {
            CommandError::from_error(Exit::Tool, &error).context("the plan cannot be read")
        })
    }

    /// The state in the back end; none where there is none yet.
    pub(super) fn pull(&self) -> Result<Option<String>> {
        let text = self.run(&["state", "pull"])?.text()?;
        Ok((!text.trim().is_empty()).then_some(text))
    }

    /// Puts a state into the back end, under the back end's lock.
    pub(super) fn push(&self, file: &Path) -> Result<()> {
        let file = file.display().to_string();
        self.run(&["state", "push", &file]).map(drop)
    }

    /// Takes the back end's own lock: a console holds it for as long as it runs, and gives it back when
    /// its input ends, even where this process is killed.
    ///
    /// OpenTofu's console answers as soon as it has the lock. Terraform's answers once its input ends, so
    /// that it has had the lock all the time is certain only then: see [`Lock::release`].
    pub(super) fn lock(&self) -> Result<Lock> {
        let mut running = self.invocation(&["console"]).spawn()?;
        let (input, output) = (running.take_stdin(), running.take_stdout());
        let (Some(mut input), Some(output)) = (input, output) else {
            return Err(CommandError::new(Exit::Bug, "a program without pipes"));
        };
        let (tell, answers) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            // Nothing is read where the program ends without a word.
            BufReader::new(output).read_line(&mut line).ok();
            tell.send(line.trim() == ANSWER).ok();
        });
        // Where this fails the program has ended, which its answer tells.
        let _asked = input.write_all(QUESTION).and_then(|()| input.flush());
        let mut lock = Lock {
            running,
            input: Some(input),
            answers,
            is_answered: false,
        };
        match lock.answers.recv_timeout(FIRST) {
            Ok(true) => lock.is_answered = true,
            Ok(false) | Err(RecvTimeoutError::Disconnected) => return Err(lock.refusal()?),
            Err(RecvTimeoutError::Timeout) => {}
        }
        Ok(lock)
    }
}

/// What the console is asked, and what it answers.
const QUESTION: &[u8] = b"1\n";
const ANSWER: &str = "1";
/// How long the first answer is awaited: a console that gets no lock ends sooner.
const FIRST: Duration = Duration::from_secs(8);

/// A back end's lock.
pub(super) struct Lock {
    running: Running,
    input: Option<ChildStdin>,
    answers: Receiver<bool>,
    is_answered: bool,
}

impl Lock {
    /// Gives it back, waits until it is free, and proves that it was held until now.
    pub(super) fn release(mut self) -> Result<()> {
        drop(self.input.take());
        let ended = self.running.wait(RELEASE)?;
        let is_answered = self.is_answered || self.answers.recv_timeout(RELEASE) == Ok(true);
        match ended {
            Some(status) if status.success() && is_answered => Ok(()),
            Some(_) => Err(self.refusal()?),
            None => Err(CommandError::tool("the lock was not given back in time")),
        }
    }

    /// Why there is no lock.
    fn refusal(&mut self) -> Result<CommandError> {
        self.running.wait(RELEASE)?;
        let said = self.running.stderr_tail();
        let is_held = said.contains("Lock Info");
        let exit = if is_held { Exit::Refused } else { Exit::Tool };
        let mut error = CommandError::new(exit, "the combined state cannot be locked");
        error.messages.push(said);
        if is_held {
            let hint = "somebody is at work on it; where nobody is any more, `force-unlock ID` of the program takes the lock away";
            error.hints.push(hint.to_owned());
        }
        Ok(error)
    }
}

/// Ended without a word, it would leave its lock behind in the back end.
impl Drop for Lock {
    fn drop(&mut self) {
        drop(self.input.take());
        self.running.wait(RELEASE).ok();
    }
}
