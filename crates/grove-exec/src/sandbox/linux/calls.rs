//! A filter of system calls: those that lead out of what the other restrictions cover.

use std::collections::BTreeMap;
use std::io;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// Calls that are always refused: other processes' memory, kernel keyrings, programs for the
/// kernel, and a way to make system calls that no filter sees.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_request_key,
    libc::SYS_userfaultfd,
];

/// Adds the filter. Without `network` no socket can be made at all, which covers those that have
/// a path (a container engine's, an agent's): Landlock does not, in the versions that are common.
/// A pair of connected sockets can still be made, but not of those that can be connected anew or send to any
/// other: datagrams.
pub(super) fn filter(network: bool) -> io::Result<()> {
    let mut refused = REFUSED.to_vec();
    if !network {
        refused.push(libc::SYS_socket);
    }
    let mut rules: BTreeMap<i64, Vec<_>> = refused
        .into_iter()
        .flat_map(aliases)
        .map(|call| (call, Vec::new()))
        .collect();
    if !network {
        for call in aliases(libc::SYS_socketpair) {
            rules.insert(call, datagrams().map_err(io::Error::other)?);
        }
    }
    let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM.cast_unsigned()),
        architecture,
    )
    .map_err(io::Error::other)?;
    let program = BpfProgram::try_from(filter).map_err(io::Error::other)?;
    seccompiler::apply_filter(&program).map_err(io::Error::other)
}

/// Matches a pair for datagrams; a raw one is the same to the kernel.
fn datagrams() -> seccompiler::Result<Vec<SeccompRule>> {
    let mut rules = Vec::new();
    for kind in [libc::SOCK_DGRAM, libc::SOCK_RAW] {
        // The other bits are flags.
        let kinds = SeccompCmpOp::MaskedEq(0xf);
        let value = u64::from(kind.cast_unsigned());
        let condition = SeccompCondition::new(1, SeccompCmpArgLen::Dword, kinds, value)?;
        rules.push(SeccompRule::new(vec![condition])?);
    }
    Ok(rules)
}

/// The numbers of a system call: on x86-64 each has a second one, of the x32 interface.
fn aliases(call: libc::c_long) -> Vec<i64> {
    if cfg!(target_arch = "x86_64") {
        vec![call, call | 0x4000_0000]
    } else {
        vec![call]
    }
}
