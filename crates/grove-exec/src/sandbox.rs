//! Confining a program: which files it sees, no network, how much it may use.
//!
//! Grove does not confine itself, it starts a *launcher*: its own executable with the hidden
//! sub-command [`COMMAND`], which restricts itself ([`enter`]) and then becomes the program. The
//! restrictions hold for the program and all that it starts, and cannot be taken back:
//!
//! - Landlock: it reads the system's directories and the paths in [`Sandbox::read`], writes those
//!   in [`Sandbox::write`], signals nothing outside. It can still see that other files exist, and
//!   change the mode and times of those that belong to its user; a process that renders cannot
//!   ([`Inner`]).
//! - A user namespace, one for what processes share, one for mounts where it has directories of
//!   memory. They are on top of the others and nothing depends on them.
//! - An empty network namespace, Landlock's rules for TCP, and a filter of system calls that refuses
//!   to make any socket, each where the kernel has it; any one of the first and the last is enough
//!   to say that there is no network.
//! - Resource limits, per process: memory is address space, so a program that forks has the limit
//!   in each of its processes.
//! - It dies with its parent.
//!
//! Kernels differ, and containers often allow less than their kernel could. What cannot be had is
//! left out, unless [`Sandbox::require`] names it; [`report`] says what a machine gives. Other
//! systems than Linux have the resource limits alone.

pub mod calls;

mod enter;
mod inner;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
#[path = "sandbox/other.rs"]
mod linux;

pub use enter::{SandboxError, enter, report};
pub use inner::{Inner, Instruction, OWN_PROCESS};

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ExecError, Invocation};

/// The launcher's sub-command: `<launcher> sandbox <description> -- <program> [<argument>…]`.
/// Without a program it prints a [`Report`] as JSON.
pub const COMMAND: &str = "sandbox";

/// What a program may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    /// The executable that has the sub-command [`COMMAND`]: Grove's own.
    #[serde(skip)]
    pub launcher: PathBuf,
    /// Files and directories that it may read and execute, besides the system's and itself. What
    /// does not exist is passed over.
    pub read: Vec<PathBuf>,
    /// Directories in which it may also create, change and delete.
    pub write: Vec<PathBuf>,
    /// Where the kernel allows it, those directories are of memory, this many bytes each, seen by the program
    /// alone and gone with it; what was in them is not seen.
    pub scratch: Option<u64>,
    /// Whether it may use the network and sockets of any kind.
    pub network: bool,
    /// Address space of each of its processes, in bytes.
    pub memory: Option<u64>,
    /// CPU time of each of its processes, in seconds.
    pub cpu_seconds: Option<u64>,
    /// How many processes and threads it may have at once. It is set only inside a user namespace,
    /// where it counts the program's own; the kernel does not enforce it for root.
    pub processes: Option<u64>,
    /// How large a file it may write, in bytes.
    pub file_size: Option<u64>,
    /// Restrictions without which the program is not started.
    pub require: BTreeSet<Restriction>,
}

/// A restriction that not every machine can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Restriction {
    /// It reaches only the files that it was given.
    Files,
    /// It has no network.
    Network,
    /// It does not make the system calls that lead past the others.
    Calls,
}

/// What a machine must give before anything is rendered on it. It needs no namespace, no privilege, and holds
/// for root.
pub const FLOOR: [Restriction; 3] = [Restriction::Files, Restriction::Network, Restriction::Calls];

impl Restriction {
    /// What is restricted, in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Network => "network",
            Self::Calls => "system calls",
        }
    }

    /// What a kernel needs to give it.
    pub fn needs(self) -> &'static str {
        match self {
            Self::Files => "Linux 5.13 or newer, with `landlock` among its security modules",
            Self::Network => "a network namespace, or a filter of system calls (seccomp)",
            Self::Calls => "Linux on x86-64 or arm64, with filters of system calls (seccomp)",
        }
    }
}

/// What a machine gave when it was asked to confine a program.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Landlock confines the files.
    pub files: bool,
    /// A user namespace of its own.
    pub user_namespace: bool,
    /// A network namespace of its own.
    pub network_namespace: bool,
    /// A filter of system calls.
    pub system_calls: bool,
    /// That filter lets it make no socket.
    pub no_sockets: bool,
    /// A namespace of its own for what processes share.
    pub ipc_namespace: bool,
    /// Directories of memory, as [`Sandbox::scratch`] asks.
    pub scratch: bool,
    /// The filters of a process that renders can be set. Only [`report`] tries.
    pub rendering: bool,
}

impl Report {
    /// Whether a restriction is in place.
    pub fn has(&self, restriction: Restriction) -> bool {
        match restriction {
            Restriction::Files => self.files,
            Restriction::Network => self.network_namespace || self.no_sockets,
            Restriction::Calls => self.system_calls,
        }
    }

    /// What of the [floor](FLOOR) is not there: without it nothing is rendered.
    pub fn below_floor(&self) -> Vec<Restriction> {
        let lacks = |restriction: &Restriction| {
            !self.has(*restriction) || *restriction == Restriction::Calls && !self.rendering
        };
        FLOOR.into_iter().filter(lacks).collect()
    }
}

/// What the launcher is told, as JSON in an argument.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    /// The process that starts the launcher; where it is gone already, nothing is started.
    parent: u32,
    /// The restrictions.
    sandbox: Sandbox,
}

impl Sandbox {
    /// What this machine gives of it: the launcher is asked.
    pub fn probe(&self) -> Result<Report, ExecError> {
        let failed = |reason| ExecError::Sandbox {
            program: COMMAND.to_owned(),
            reason,
        };
        let line = self.launch(Path::new("/dev/null")).map_err(failed)?;
        let (launcher, args) = line.split_first().ok_or_else(|| failed(String::new()))?;
        let text = Invocation::new(launcher)
            .args(args)
            .timeout(Duration::from_secs(20))
            .run()?
            .text()?;
        serde_json::from_str(&text).map_err(|error| failed(error.to_string()))
    }

    /// The start of the command line that runs `program` confined; an error where the description
    /// cannot be written down.
    pub(crate) fn launch(&self, program: &Path) -> Result<Vec<OsString>, String> {
        let mut sandbox = self.clone();
        sandbox.read.push(program.to_owned());
        let description = Description {
            parent: std::process::id(),
            sandbox,
        };
        let text = serde_json::to_string(&description).map_err(|error| error.to_string())?;
        Ok(vec![
            self.launcher.clone().into(),
            COMMAND.into(),
            text.into(),
            "--".into(),
        ])
    }
}
