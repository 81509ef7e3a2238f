//! A root module, and the program that works on it: OpenTofu or Terraform.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::ChildStdin,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use grove_exec::{ExecError, Invocation, Outcome, Running, Variables, find};
use grove_seal::Secret;
use grove_stack::lock::LockInfo;
use serde_json::Value;

use crate::{Around, Clock, Error, Kind, Result, text::count};

/// How long one run of the program may take.
const LIMIT: Duration = Duration::from_mins(30);
/// The most output of a run.
const OUTPUT: usize = 1 << 30;
/// The most text, in bytes, that a console is asked for at once. It reads lines of 64 KiB, and the text is
/// in its line twice.
const LINE: usize = 24 << 10;
/// How long the program may take to give a lock back.
const RELEASE: Duration = Duration::from_mins(1);

/// The program that is named, or the one that is there: `tofu`, else `terraform`.
pub(crate) fn program(around: &Around) -> Result<PathBuf> {
    if let Some(program) = &around.tofu {
        // It is started in other directories than this one.
        return Ok(if program.components().count() > 1 {
            fs_err::canonicalize(program)?
        } else {
            program.clone()
        });
    }
    find("tofu").or_else(|| find("terraform")).ok_or_else(|| {
        Error::tool("neither `tofu` nor `terraform` is on PATH")
            .hint("install OpenTofu, or name the program with `--program`")
    })
}

/// How long the program may take to stop an apply when Grove is interrupted: an object that is half made
/// must still reach the state.
const FAREWELL: Duration = Duration::from_mins(5);

/// What the program finds in its environment beside what passes from Grove's own.
pub struct Environment {
    /// Grove's own variables: credentials among them are masked.
    pub own: Arc<BTreeMap<OsString, OsString>>,
    /// Tells how long a program takes.
    pub clock: Arc<dyn Clock>,
    /// Variables, by name.
    pub variables: Vec<(String, Secret)>,
    /// Variables of Grove's own that pass, too; `NAME_*` stands for all that begin so.
    pub passing: Vec<String>,
    /// Where providers are kept for all root modules, each a hundred megabytes and more.
    pub plugins: Option<PathBuf>,
    /// Further texts that no message may hold.
    pub sensitive: BTreeSet<String>,
}

/// The shortest text that is masked: shorter ones stand in every message.
const MASKED: usize = 6;

/// Parts of the names of variables that hold credentials.
const CREDENTIALS: [&str; 6] = [
    "CONN_STR",
    "CREDENTIAL",
    "KEY",
    "PASSWORD",
    "SECRET",
    "TOKEN",
];

impl Environment {
    /// What passes from Grove's own, and nothing else.
    pub fn new(around: &Around) -> Self {
        Self {
            own: Arc::clone(&around.variables),
            clock: Arc::clone(&around.clock),
            variables: Vec::new(),
            passing: Vec::new(),
            plugins: None,
            sensitive: BTreeSet::new(),
        }
    }

    /// The text with every credential in it replaced.
    pub fn mask(&self, text: &str) -> String {
        let own = self.own.iter().filter_map(|(name, value)| {
            let name = name.to_str()?;
            let is_credential = CREDENTIALS.iter().any(|part| name.contains(part));
            is_credential.then(|| value.to_str()).flatten()
        });
        let given = self.variables.iter().map(|(_, value)| value.expose());
        let mut all: BTreeSet<&str> = given
            .chain(self.sensitive.iter().map(String::as_str))
            .chain(own)
            .flat_map(|value| std::iter::once(value).chain(value.lines()))
            .filter(|value| value.len() >= MASKED)
            .collect();
        let mut masked = text.to_owned();
        // The longest first: one may be part of another.
        while let Some(longest) = all.iter().max_by_key(|value| value.len()).copied() {
            all.remove(longest);
            masked = masked.replace(longest, "***");
        }
        masked
    }

    fn masked(&self, error: ExecError) -> Error {
        // The error of the program itself holds what it said, unmasked.
        let mut error = Error::from(error).without_cause();
        for message in &mut error.messages {
            *message = self.mask(message);
        }
        error
    }
}

/// A root module.
pub struct Root<'a> {
    pub program: &'a Path,
    pub directory: &'a Path,
    /// Where the program keeps what `init` brings; its own place in the directory where nothing is said.
    pub data: Option<PathBuf>,
    pub environment: &'a Environment,
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
            .farewell(FAREWELL)
            .output_limit(OUTPUT);
        for name in &self.environment.passing {
            invocation = invocation.pass_env(name);
        }
        for (name, value) in &self.environment.variables {
            invocation = invocation.env(name, value.expose());
        }
        if let Some(data) = &self.data {
            invocation = invocation.env("TF_DATA_DIR", data);
        }
        if let Some(plugins) = &self.environment.plugins {
            invocation = invocation.env("TF_PLUGIN_CACHE_DIR", plugins);
        }
        invocation
    }

    /// Runs the program; it must succeed.
    pub fn run(&self, words: &[&str]) -> Result<Outcome> {
        let ran = self.invocation(words).run();
        ran.map_err(|error| refused(self.environment.masked(error)))
    }

    /// Runs the program to its end, whatever that is, and says each line that it prints.
    pub fn follow(
        &self,
        words: &[&str],
        limit: Duration,
        started: impl FnOnce(u32) -> Result<()>,
        mut said: impl FnMut(&str),
    ) -> Result<()> {
        let mut running = self.invocation(words).spawn()?;
        drop(running.take_stdin());
        started(running.id())?;
        let (tell, lines) = mpsc::channel();
        if let Some(around) = running.take_stdout() {
            thread::spawn(move || {
                for line in BufReader::new(around)
                    .lines()
                    .map_while(std::io::Result::ok)
                {
                    if tell.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        let clock = &self.environment.clock;
        let begun = clock.elapsed();
        let left = || limit.saturating_sub(clock.elapsed().saturating_sub(begun));
        loop {
            match lines.recv_timeout(left()) {
                Ok(line) => said(&self.environment.mask(&line)),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    // Ended at once, what it is about to make would be lost to the state.
                    running.interrupt();
                    break;
                }
            }
        }
        let ended = running.wait(FAREWELL)?;
        let name = words.first().copied().unwrap_or_default();
        match ended {
            Some(status) if status.success() => Ok(()),
            Some(_) if !left().is_zero() => {
                let text = self.environment.mask(&running.stderr_tail());
                Err(refused(Error::tool(format!("`{name}` failed: {text}"))))
            }
            _ => Err(Error::new(
                Kind::OutOfTime,
                format!(
                    "`{name}` took longer than {} s and was stopped",
                    limit.as_secs()
                ),
            )
            .hint("what it made is in the state: the next plan shows what is left")),
        }
    }

    /// Hands the terminal over to the program.
    pub fn interact(&self, words: &[String]) -> Result<std::process::ExitStatus> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Ok(self.invocation(&words).interact()?)
    }

    /// Prepares the directory; one that was prepared already stays as it is, unless that was cut off.
    pub fn init(&self) -> Result<()> {
        let begun = self.directory.join(".terraform.begun");
        let is_there = self.directory.join(".terraform").is_dir();
        if self.data.is_none() && is_there && !begun.exists() {
            return Ok(());
        }
        fs_err::write(&begun, "")?;
        self.run(&["init", "-input=false", "-no-color"])?;
        Ok(fs_err::remove_file(&begun)?)
    }

    /// A plan as JSON (<https://opentofu.org/docs/internals/json-format/>); takes no lock.
    pub fn plan(&self, more: &[&str]) -> Result<Value> {
        let scratch = tempfile::tempdir()?;
        let file = scratch.path().join("plan").display().to_string();
        let out = format!("-out={file}");
        let words = ["plan", "-input=false", "-no-color", "-lock=false", &out];
        self.run(&[&words[..], more].concat())?;
        let text = self.run(&["show", "-json", "-no-color", &file])?.text()?;
        serde_json::from_str(&text).map_err(|error| {
            Error::from_error(Kind::Tool, &error).context("the plan cannot be read")
        })
    }

    /// The state in the back end; none where there is none yet.
    pub fn pull(&self) -> Result<Option<String>> {
        let text = self.run(&["state", "pull"])?.text()?;
        Ok((!text.trim().is_empty()).then_some(text))
    }

    /// Puts a state into the back end, under the back end's lock.
    pub fn push(&self, file: &Path) -> Result<()> {
        let file = file.display().to_string();
        self.run(&["state", "push", &file]).map(drop)
    }

    /// The values of expressions, as the root module and its state have them.
    pub fn evaluate(&self, expressions: &[&str]) -> Result<Vec<Value>> {
        let mut values = Vec::new();
        let mut rest = expressions;
        while !rest.is_empty() {
            let mut length = 0;
            let fits = |text: &&&str| {
                length += text.len();
                length < LINE
            };
            let (now, then) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            values.extend(self.evaluate_at_once(now)?);
            rest = then;
        }
        Ok(values)
    }

    fn evaluate_at_once(&self, expressions: &[&str]) -> Result<Vec<Value>> {
        // One question: Terraform's console answers the last one alone.
        let text = format!("jsonencode([{}])", expressions.join(", "));
        // A sensitive value is not printed unless it is asked for so.
        let question = format!("try(nonsensitive({text}), {text})\n");
        let ran = self.invocation(&["console"]).stdin(question).run();
        let text = ran
            .map_err(|error| self.environment.masked(error))?
            .text()?;
        let answer: Option<Vec<Value>> = serde_json::from_str::<String>(text.trim())
            .ok()
            // What would begin a template is doubled in print.
            .map(|quoted| quoted.replace("$${", "${").replace("%%{", "%{"))
            .and_then(|quoted| serde_json::from_str(&quoted).ok());
        answer
            .filter(|values| values.len() == expressions.len())
            .ok_or_else(|| {
                Error::tool(format!(
                    "the program gave no values of {}",
                    count(expressions.len(), "expression")
                ))
                .hint("`console` in the old root answers what they are")
            })
    }

    /// Takes the back end's own lock: a console holds it for as long as it runs, and gives it back when
    /// its input ends, even where this process is killed.
    ///
    /// OpenTofu's console answers as soon as it has the lock. Terraform's answers once its input ends, so
    /// that it has had the lock all the time is certain only then: see [`Lock::release`].
    pub fn lock(&self) -> Result<Lock> {
        let mut running = self.invocation(&["console"]).spawn()?;
        let (input, around) = (running.take_stdin(), running.take_stdout());
        let (Some(mut input), Some(around)) = (input, around) else {
            return Err(Error::new(Kind::Bug, "a program without pipes"));
        };
        let (tell, answers) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            // Nothing is read where the program ends without a word.
            BufReader::new(around).read_line(&mut line).ok();
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
pub struct Lock {
    running: Running,
    input: Option<ChildStdin>,
    answers: Receiver<bool>,
    is_answered: bool,
}

impl Lock {
    /// Gives it back, waits until it is free, and proves that it was held until now.
    pub fn release(mut self) -> Result<()> {
        drop(self.input.take());
        let ended = self.running.wait(RELEASE)?;
        let is_answered = self.is_answered || self.answers.recv_timeout(RELEASE) == Ok(true);
        match ended {
            Some(status) if status.success() && is_answered => Ok(()),
            Some(_) => Err(self.refusal()?),
            None => Err(Error::tool("the lock was not given back in time")),
        }
    }

    /// Why there is no lock.
    fn refusal(&mut self) -> Result<Error> {
        self.running.wait(RELEASE)?;
        let said = self.running.stderr_tail();
        let is_held = said.contains("Lock Info");
        let exit = if is_held { Kind::Refused } else { Kind::Tool };
        let mut error = Error::new(exit, "the combined state cannot be locked");
        error.messages.push(said);
        if is_held {
            let hint = "somebody is at work on it; where nobody is any more, `force-unlock ID` of the program takes the lock away";
            error.hints.push(hint.to_owned());
        }
        Ok(error)
    }
}

/// An error of the program in words: where a lock is held, it is no failure but a refusal.
fn refused(mut error: Error) -> Error {
    let found = error.messages.iter().find_map(|text| LockInfo::find(text));
    if let Some(info) = found {
        error.kind = Kind::Refused;
        error.messages = vec![format!(
            "its state is locked by {}, who is at {} since {}",
            info.who,
            info.doing(),
            info.created
        )];
        error.lock = Some(Box::new(info));
    }
    error
}

/// Ended without a word, it would leave its lock behind in the back end.
impl Drop for Lock {
    fn drop(&mut self) {
        drop(self.input.take());
        self.running.wait(RELEASE).ok();
    }
}
