//! What the launcher does: restrict itself, then become the program.

use std::convert::Infallible;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};

use super::{Description, Report, Restriction, Sandbox, linux};

/// Why a confined program was not started.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The description is not one that this version of Grove writes.
    #[error("the description of the sandbox is not valid: {0}")]
    Description(#[from] serde_json::Error),
    /// No program was named.
    #[error("no program to run in the sandbox")]
    NoProgram,
    /// The process that asked for it has ended.
    #[error("the process that started the sandbox has ended")]
    Orphaned,
    /// A resource limit was refused.
    #[error("the limit for {what} cannot be set: {source}")]
    Limit {
        /// Which.
        what: &'static str,
        /// What the kernel said.
        source: Errno,
    },
    /// A restriction that was required cannot be had here.
    #[error("this machine cannot confine a program's {}", .0.name())]
    Required(Restriction),
    /// The kernel has a restriction and refused to set it.
    #[error("the program cannot be confined: {0}")]
    Refused(String),
    /// The program was not started.
    #[error("`{program}` could not be started: {source}")]
    Start {
        /// Its path.
        program: String,
        /// What the kernel said.
        source: io::Error,
    },
}

/// Restricts this process as `description` says and becomes the program that `line` names, with
/// its arguments. It returns only where that fails. To be called before any thread is started.
pub fn enter(description: &str, line: &[OsString]) -> Result<Infallible, SandboxError> {
    let (program, args) = line.split_first().ok_or(SandboxError::NoProgram)?;
    restrict(description)?;
    #[expect(
        clippy::disallowed_methods,
        reason = "this crate is where programs are started"
    )]
    let source = Command::new(program).args(args).exec();
    Err(SandboxError::Start {
        program: program.display().to_string(),
        source,
    })
}

/// Restricts this process as `description` says, and tells what that brought.
pub fn report(description: &str) -> Result<Report, SandboxError> {
    let mut report = restrict(description)?;
    // Last: little can be done after it.
    report.rendering = linux::render_like();
    Ok(report)
}

fn restrict(description: &str) -> Result<Report, SandboxError> {
    let Description { parent, sandbox } = serde_json::from_str(description)?;
    linux::die_with_parent();
    // Asked after the signal is arranged, so that an end in between is noticed.
    if std::os::unix::process::parent_id() != parent {
        return Err(SandboxError::Orphaned);
    }
    umask(Mode::from_bits_truncate(0o022));
    limit_resources(&sandbox)?;
    let mut report = Report::default();
    linux::restrict(&sandbox, &mut report)?;
    // The kernel forgets the arrangement when a process changes its credentials.
    linux::die_with_parent();
    if report.user_namespace {
        set_limit("processes", Resource::RLIMIT_NPROC, sandbox.processes)?;
    }
    match sandbox.require.iter().find(|wanted| !report.has(**wanted)) {
        Some(missing) => Err(SandboxError::Required(*missing)),
        None => Ok(report),
    }
}

/// Sets the limits that work everywhere. No core is ever dumped: it would hold what the program
/// knew.
fn limit_resources(sandbox: &Sandbox) -> Result<(), SandboxError> {
    set_limit("memory", Resource::RLIMIT_AS, sandbox.memory)?;
    set_limit("CPU time", Resource::RLIMIT_CPU, sandbox.cpu_seconds)?;
    set_limit("file size", Resource::RLIMIT_FSIZE, sandbox.file_size)?;
    set_limit("core dumps", Resource::RLIMIT_CORE, Some(0))
}

fn set_limit(
    what: &'static str,
    resource: Resource,
    value: Option<u64>,
) -> Result<(), SandboxError> {
    let Some(value) = value else { return Ok(()) };
    // A limit that is already lower than what was asked for stays.
    let (_, most) = nix::sys::resource::getrlimit(resource)
        .map_err(|source| SandboxError::Limit { what, source })?;
    let value = value.min(most);
    setrlimit(resource, value, value).map_err(|source| SandboxError::Limit { what, source })
}
