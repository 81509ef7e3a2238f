//! Restrictions that the Linux kernel gives to any process.

mod calls;
mod files;
mod namespaces;
mod rendering;

use std::path::PathBuf;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;

use super::inner::Instruction;
use super::{Report, Sandbox, SandboxError};

/// Has the kernel end this process when the thread that started it ends.
pub(super) fn die_with_parent() {
    // It fails only for a signal that does not exist.
    let _: Result<_, _> = set_pdeathsig(Signal::SIGKILL);
}

/// Sets every restriction that can be had; namespaces first, as what follows forbids making them.
pub(super) fn restrict(sandbox: &Sandbox, report: &mut Report) -> Result<(), SandboxError> {
    namespaces::enter(sandbox, report);
    report.files = files::confine(sandbox)
        .map_err(|error| SandboxError::Refused(format!("landlock: {error}")))?;
    report.system_calls = calls::filter(sandbox.network).is_ok();
    report.no_sockets = report.system_calls && !sandbox.network;
    Ok(())
}

/// Sets in this process what one that renders sets; whether it could.
pub(super) fn render_like() -> bool {
    rendering::set().is_ok()
}

/// Everything that a program in the sandbox may read.
pub(super) fn readable(sandbox: &Sandbox) -> Vec<PathBuf> {
    let mut paths = files::system();
    paths.extend(sandbox.read.iter().cloned());
    paths
}

/// The filters of a process that renders; none where they cannot be made for this machine.
pub(super) fn rendering_filters() -> Vec<Vec<Instruction>> {
    let programs = rendering::programs().into_iter().flatten();
    programs
        .map(|program| {
            let steps = program.into_iter();
            steps
                .map(|step| (step.code, step.jt, step.jf, step.k))
                .collect()
        })
        .collect()
}
