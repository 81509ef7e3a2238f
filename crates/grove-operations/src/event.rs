//! What an operation says while it works.
//!
//! Events are for people who wait, and for logs. What an operation comes to is its outcome: nothing in
//! it has to be put together from events.

use std::{fmt, sync::Mutex};

use grove_check::Finding;
use grove_fleet::Snapshot;
use serde::Serialize;

use crate::Error;

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event<'a> {
    /// What is being done now, in place of what was done before.
    Doing {
        /// What.
        #[serde(flatten)]
        doing: Doing<'a>,
    },
    /// What was being done is over; what is next is not known yet.
    Idle,
    /// Something good to know.
    Note {
        /// What, in a line.
        text: &'a str,
    },
    /// Something that must be seen.
    Warning {
        /// What, in a line.
        text: &'a str,
    },
    /// One of several failures: what the operation gives in the end is the last of them, or it goes on.
    Failed {
        /// Why.
        error: &'a Error,
    },
    /// Findings of the fleet that must be seen.
    Findings {
        /// The findings.
        findings: &'a [Finding],
        /// The files that they are in.
        #[serde(skip)]
        snapshot: &'a Snapshot,
    },
    /// A line that a command wrote in an instance.
    Line {
        /// The instance, where commands run in several.
        from: Option<&'a str>,
        /// The line, as it was written.
        text: &'a str,
    },
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "doing", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Doing<'a> {
    /// Fetching the deploy branch of a cluster.
    Fetching {
        /// The cluster.
        cluster: &'a str,
    },
    /// Rendering instances.
    Rendering,
    /// Rendering a part of what the instances of a cluster share.
    RenderingPart {
        /// The part.
        part: &'a str,
    },
    /// Pushing to a deploy repository.
    Pushing {
        /// The remote, without credentials.
        remote: &'a str,
    },
    /// Asking clusters what runs.
    Asking {
        /// Their names, separated by commas.
        clusters: &'a str,
    },
    /// Asking Tutor about an instance.
    AskingTutor {
        /// `cluster/instance`.
        instance: &'a str,
    },
    /// Reaching a cluster.
    Reaching {
        /// The cluster.
        cluster: &'a str,
    },
    /// Following something until it runs, or is there.
    Following {
        /// What: an instance, a part of what instances share, a pod.
        what: &'a str,
        /// What it is at.
        state: &'a str,
    },
    /// Planning a stack.
    Planning {
        /// Its address.
        stack: &'a str,
    },
    /// Applying a stack.
    Applying {
        /// Its address.
        stack: &'a str,
    },
    /// Looking what others changed of a stack.
    LookingAt {
        /// Its address.
        stack: &'a str,
    },
    /// Applying a stack: what the program says.
    Said {
        /// Its address.
        stack: &'a str,
        /// The line, without what would move a terminal's cursor.
        line: &'a str,
    },
    /// Fetching a file of a bundle.
    FetchingFile {
        /// The engine that it is of.
        name: &'a str,
        /// The engine's version.
        version: &'a str,
        /// The file.
        file: &'a str,
    },
    /// Looking whether a cluster can be bootstrapped.
    Preflight,
    /// Making the key pair of a new cluster.
    MakingSealingKey,
    /// A step that has no case of its own here.
    Step {
        /// What, in a line.
        text: &'a str,
    },
}

impl fmt::Display for Doing<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetching { cluster } => {
                write!(formatter, "fetching the deploy branch of {cluster}")
            }
            Self::Rendering => formatter.write_str("rendering"),
            Self::RenderingPart { part } => write!(formatter, "rendering {part}"),
            Self::Pushing { remote } => write!(formatter, "pushing to {remote}"),
            Self::Asking { clusters } => write!(formatter, "asking {clusters}"),
            Self::AskingTutor { instance } => write!(formatter, "{instance}: asking Tutor"),
            Self::Reaching { cluster } => write!(formatter, "reaching {cluster}"),
            Self::Following { what, state } => write!(formatter, "{what}: {state}"),
            Self::Planning { stack } => write!(formatter, "planning {stack}"),
            Self::Applying { stack } => write!(formatter, "applying {stack}"),
            Self::LookingAt { stack } => write!(formatter, "looking at {stack}"),
            Self::Said { stack, line } => write!(formatter, "{stack}: {line}"),
            Self::FetchingFile {
                name,
                version,
                file,
            } => write!(formatter, "fetching {name} {version}: {file}"),
            Self::Preflight => formatter.write_str("preflight"),
            Self::MakingSealingKey => formatter.write_str("making the sealing key"),
            Self::Step { text } => formatter.write_str(text),
        }
    }
}

/// Who is told what happens. Called from whichever thread something happens on.
pub trait Listener: Send + Sync {
    /// Hears of something. Returns soon: the operation waits for it.
    fn hear(&self, event: &Event<'_>);
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Listener for Silent {
    fn hear(&self, _: &Event<'_>) {}
}

/// Keeps what it hears, each event as JSON.
#[derive(Debug, Default)]
pub struct Recorder {
    heard: Mutex<Vec<serde_json::Value>>,
}

impl Recorder {
    /// What was heard, oldest first.
    pub fn heard(&self) -> Vec<serde_json::Value> {
        self.heard
            .lock()
            .map(|heard| heard.clone())
            .unwrap_or_default()
    }
}

impl Listener for Recorder {
    fn hear(&self, event: &Event<'_>) {
        if let (Ok(mut heard), Ok(event)) = (self.heard.lock(), serde_json::to_value(event)) {
            heard.push(event);
        }
    }
}
