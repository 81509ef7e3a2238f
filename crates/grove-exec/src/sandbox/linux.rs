//! Restrictions that the Linux kernel gives to any process.

mod calls;
mod files;
mod namespaces;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;

use super::{Report, Sandbox, SandboxError};

/// Has the kernel end this process when the thread that started it ends.
pub(super) fn die_with_parent() {
    // It fails only for a signal that does not exist.
    let _: Result<_, _> = set_pdeathsig(Signal::SIGKILL);
}

/// Sets every restriction that can be had; namespaces first, as what follows forbids making them.
pub(super) fn restrict(sandbox: &Sandbox, report: &mut Report) -> Result<(), SandboxError> {
    namespaces::enter(sandbox.network, report);
    report.files = files::confine(sandbox)
        .map_err(|error| SandboxError::Refused(format!("landlock: {error}")))?;
    report.system_calls = calls::filter(sandbox.network).is_ok();
    report.no_sockets = report.system_calls && !sandbox.network;
    Ok(())
}
