//! How a command ends when it does not end well.

use std::fmt;

use grove_stack::lock::LockInfo;

/// Exit codes. They are part of the interface: scripts rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// The fleet has findings of severity error, or the answer is no.
    No,
    /// Wrong usage.
    Usage,
    /// Another program or a remote failed.
    Tool,
    /// Refused: a hold, a lock, a conflict, a stale source, a missing confirmation.
    Refused,
    /// The cluster did not become healthy.
    Unhealthy,
    /// Time ran out; what was begun goes on in the cluster.
    OutOfTime,
    /// A bug of Grove's.
    Bug,
    /// A command that was run in an instance ended with this code.
    Command(u8),
}

impl Exit {
    /// The code that the process ends with.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Tool => 3,
            Self::Refused => 4,
            Self::Unhealthy => 5,
            Self::OutOfTime => 6,
            Self::Bug => 70,
            Self::Command(code) => code,
        }
    }
}

/// Why a command did not do what it was asked: what happened, why, and what to do next.
#[derive(Clone, Debug)]
pub(crate) struct CommandError {
    /// Chooses the exit code.
    pub(crate) exit: Exit,
    /// What happened, then each cause, outermost first.
    pub(crate) messages: Vec<String>,
    /// What to do next.
    pub(crate) hints: Vec<String>,
    /// The lock that is in the way, where that is why.
    pub(crate) lock: Option<Box<LockInfo>>,
}

/// What a command gives.
pub(crate) type Result<T = Exit> = std::result::Result<T, CommandError>;

impl CommandError {
    /// An error with one message.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            messages: vec![message.into()],
            hints: Vec::new(),
            lock: None,
        }
    }

    /// An error made of another and its causes.
    pub(crate) fn from_error(exit: Exit, error: &dyn std::error::Error) -> Self {
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
            exit,
            messages,
            hints: Vec::new(),
            lock: None,
        }
    }

    /// Wrong usage.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Something that Grove will not do as asked.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, message)
    }

    /// Another program, a remote or the operating system failed.
    pub(crate) fn tool(message: impl Into<String>) -> Self {
        Self::new(Exit::Tool, message)
    }

    /// Adds what to do next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Puts what was being done in front.
    #[must_use]
    pub(crate) fn context(mut self, message: impl Into<String>) -> Self {
        self.messages.insert(0, message.into());
        self
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.messages.join(": "))
    }
}

/// Maps an error of a library to its exit code and carries its hint along.
macro_rules! from_error {
    ($error:ty, $exit:expr) => {
        impl From<$error> for CommandError {
            fn from(error: $error) -> Self {
                let choose: fn(&$error) -> Exit = $exit;
                let mut command = Self::from_error(choose(&error), &error);
                command.hints.extend(error.hint());
                command
            }
        }
    };
}
pub(crate) use from_error;

from_error!(grove_exec::ExecError, |_| Exit::Tool);

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::from_error(Exit::Tool, &error)
    }
}
