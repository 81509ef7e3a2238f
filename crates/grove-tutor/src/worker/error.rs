//! Why the worker did not do what it was asked.

use std::io;

use grove_exec::ExecError;
use grove_exec::sandbox::Restriction;
use serde::Deserialize;

/// Why the worker did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Tutor or a plugin refused the instance; other instances are not touched.
    #[error("{0}")]
    Failed(Box<Failure>),
    /// The worker did not start: its environment may be damaged.
    #[error("the Tutor worker does not start: {0}")]
    Start(Box<Failure>),
    /// This machine cannot confine what renders as far as it must be.
    #[error(
        "this machine cannot confine the {} of the process that renders, so nothing is rendered here",
        names(.0)
    )]
    Unconfined(Vec<Restriction>),
    /// The worker ended while it was needed. Start another.
    #[error("the Tutor worker ended{}", after_colon(.stderr))]
    Ended {
        /// The last lines that it wrote to standard error.
        stderr: String,
    },
    /// The worker gave no sign of life for longer than any request may take.
    #[error("the Tutor worker does not answer")]
    Silent,
    /// The worker said something that is not its protocol.
    #[error("the Tutor worker broke its protocol: {0}")]
    Protocol(String),
    /// The worker could not be run.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// The worker's files could not be put into the cache.
    #[error(transparent)]
    Cache(#[from] crate::error::Error),
    /// A pipe or a file of Grove's own broke.
    #[error("talking to the Tutor worker failed: {0}")]
    Io(#[from] io::Error),
}

impl WorkerError {
    /// Whether the fault lies with what the fleet says, not with the machine.
    pub fn is_fleet(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.kind != FailureKind::Machine)
    }

    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Failed(failure) => failure.hint(),
            Self::Exec(error) => error.hint(),
            Self::Unconfined(lacking) => Some(format!(
                "it needs {}; `grove doctor` says what this machine gives",
                lacking
                    .iter()
                    .map(|restriction| restriction.needs())
                    .collect::<Vec<_>>()
                    .join("; ")
            )),
            Self::Ended { .. } | Self::Silent => Some("try again".to_owned()),
            _ => None,
        }
    }
}

/// How one request failed, as the worker reports it. The words may come from a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, thiserror::Error)]
#[error("{}{message}", .plugin.as_ref().map(|name| format!("plugin {name}: ")).unwrap_or_default())]
pub struct Failure {
    /// Which kind of thing went wrong.
    pub kind: FailureKind,
    /// What, in Tutor's or Python's own words.
    pub message: String,
    /// The plugin that it comes from, where that is known.
    #[serde(default)]
    pub plugin: Option<String>,
    /// The configuration key whose value is at fault.
    #[serde(default)]
    pub key: Option<String>,
    /// The keys without a value, for [`FailureKind::MissingSecret`]; the secrets, for
    /// [`FailureKind::SecretUse`].
    #[serde(default)]
    pub keys: Vec<String>,
    /// The rendered file or task at fault.
    #[serde(default)]
    pub file: Option<String>,
    /// The end of the traceback, or of what a process wrote before it ended.
    #[serde(default)]
    pub traceback: Option<String>,
}

/// The kinds of [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// A plugin is missing, does not load, or raised an error.
    Plugin,
    /// A template could not be rendered.
    Template,
    /// A configuration value could not be rendered.
    Config,
    /// Tutor would draw a secret that should have been given.
    MissingSecret,
    /// A template or a plugin does something with a secret that only its value can tell.
    SecretUse,
    /// The instance took more time or memory than it may.
    Limit,
    /// Its process ended without an answer, or failed in a way that names nobody.
    Crash,
    /// The machine has no room to work in.
    Machine,
    /// The request made no sense.
    Protocol,
    /// A job does not take the words that it was given.
    Usage,
}

/// What may be done with a secret while its value is not known.
const SECRET_USE: &str = "a template may put a secret in, ask whether there is one, change its case, \
encode it (base64, hexadecimal, URL, HTML, JSON), hash it, take its length or a slice of it; whatever else \
is made of it can be a secret of its own (`grove secret set`)";

/// Longest text of a failure that is kept, in characters.
const MAX_TEXT: usize = 8_000;

impl Failure {
    /// The failure without what a terminal would act on, and no longer than anyone reads: a child
    /// that ran a plugin may say anything.
    pub(crate) fn tame(mut self) -> Self {
        for text in [
            Some(&mut self.message),
            self.plugin.as_mut(),
            self.key.as_mut(),
            self.file.as_mut(),
            self.traceback.as_mut(),
        ]
        .into_iter()
        .flatten()
        .chain(&mut self.keys)
        {
            *text = text
                .chars()
                .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
                .take(MAX_TEXT)
                .collect();
        }
        self
    }

    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self.kind {
            FailureKind::MissingSecret if !self.keys.is_empty() => {
                Some("`grove secret generate` makes the values that are missing".to_owned())
            }
            FailureKind::SecretUse => Some(SECRET_USE.to_owned()),
            FailureKind::Limit => {
                Some("an own plugin or a template of this instance may not end".to_owned())
            }
            _ => None,
        }
    }
}

fn after_colon(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(": {text}")
    }
}

/// `files and network`.
fn names(restrictions: &[Restriction]) -> String {
    let names: Vec<&str> = restrictions.iter().map(|one| one.name()).collect();
    names.join(" and ")
}
