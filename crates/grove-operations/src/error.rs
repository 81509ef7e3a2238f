//! Why an operation did not do what it was asked.

mod from;

use std::{error::Error as StdError, fmt, sync::Arc};

use grove_exec::Caller;
use grove_stack::lock::LockInfo;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose fault it is, and so what may help. The command line has an exit code for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The fleet has findings of severity error, or the answer is no.
    No,
    /// Wrong usage: the request names what is not there, or contradicts itself.
    Usage,
    /// Another program, a remote or the operating system failed.
    Tool,
    /// Refused: a hold, a lock, a conflict, a stale source, a missing consent.
    Refused,
    /// The cluster did not become healthy.
    Unhealthy,
    /// Time ran out; what was begun goes on in the cluster.
    OutOfTime,
    /// Whoever asked for it ended it: see [`Around::token`](crate::Around::token).
    Ended,
    /// A bug of Grove's.
    Bug,
}

/// Why an operation did not do what it was asked: what happened, why, and what to do next.
///
/// Outcomes of which a part failed hold it, too: then without the lock and the library's error.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Error {
    /// Whose fault it is.
    pub kind: Kind,
    /// What happened, then each cause, outermost first.
    pub messages: Vec<String>,
    /// What to do next.
    pub hints: Vec<String>,
    /// The lock that is in the way, where that is why.
    #[serde(skip)]
    pub lock: Option<Box<LockInfo>>,
    /// The error of a library that this one was made of.
    #[serde(skip)]
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What an operation gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with one message.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            messages: vec![message.into()],
            hints: Vec::new(),
            lock: None,
            source: None,
        }
    }

    /// An error made of another and its causes.
    pub fn from_error(kind: Kind, error: &dyn StdError) -> Self {
        let mut messages = vec![error.to_string()];
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if messages.last().is_none_or(|last| !last.contains(&text)) {
                messages.push(text);
            }
            source = cause.source();
        }
        Self {
            kind,
            messages,
            hints: Vec::new(),
            lock: None,
            source: None,
        }
    }

    /// An error made of another, which it keeps: see [`Self::cause`].
    fn keeping(kind: Kind, error: impl StdError + Send + Sync + 'static) -> Self {
        let mut made = Self::from_error(unless_ended(kind), &error);
        made.source = Some(Arc::new(error));
        made
    }

    /// The same without the error of a library that it was made of.
    pub(crate) fn without_cause(self) -> Self {
        Self {
            source: None,
            ..self
        }
    }

    /// The error of a library that this one was made of, where it is of type `T`.
    pub fn cause<T: StdError + 'static>(&self) -> Option<&T> {
        self.source.as_deref()?.downcast_ref()
    }

    /// Wrong usage.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Something that Grove will not do as asked.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// Another program, a remote or the operating system failed.
    pub fn tool(message: impl Into<String>) -> Self {
        Self::new(Kind::Tool, message)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Puts what was being done in front.
    #[must_use]
    pub fn context(mut self, message: impl Into<String>) -> Self {
        self.messages.insert(0, message.into());
        self
    }
}

/// A program that fails once the operation was ended fails because of that.
fn unless_ended(kind: Kind) -> Kind {
    match kind {
        Kind::Tool if Caller::is_ended() => Kind::Ended,
        kind => kind,
    }
}

/// Equal where they say the same.
impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.messages, &self.hints) == (other.kind, &other.messages, &other.hints)
    }
}

impl Eq for Error {}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.messages.join(": "))
    }
}

// The causes are part of the text already, so there is no `source`.
impl StdError for Error {}
