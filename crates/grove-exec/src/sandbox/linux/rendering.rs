//! The filters of a process that renders, from the [table](crate::sandbox::calls).
//!
//! There are two, since a filter has one answer for what it names and one for the rest. They are set in the
//! order in which they stand here: the second refuses to set any more.

use std::collections::BTreeMap;
use std::io;
use std::str::FromStr as _;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use syscalls::{aarch64, x86_64};

use crate::sandbox::calls::{Answer, FAMILIES};
use crate::sandbox::inner::OWN_PROCESS;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The two filters for this machine.
pub(super) fn programs() -> io::Result<[BpfProgram; 2]> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    programs_for(architecture)
}

/// Sets the filters for this process, to see whether the kernel takes them.
pub(super) fn set() -> io::Result<()> {
    for program in programs()? {
        seccompiler::apply_filter(&program).map_err(io::Error::other)?;
    }
    Ok(())
}

fn programs_for(architecture: TargetArch) -> io::Result<[BpfProgram; 2]> {
    let mut known = Rules::new();
    let mut refused = Rules::new();
    for family in FAMILIES {
        for name in family.calls {
            let Some(number) = number(architecture, name) else {
                continue;
            };
            match family.answer {
                Answer::Absent => continue,
                Answer::Allowed => {}
                Answer::Refused => {
                    refused.insert(number, Vec::new());
                }
                Answer::Partly => {
                    refused.insert(number, refused_arguments(name)?);
                }
            }
            known.insert(number, Vec::new());
        }
    }
    if known.is_empty() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let errno = |code: i32| SeccompAction::Errno(code.cast_unsigned());
    Ok([
        program(
            known,
            SeccompAction::Allow,
            errno(libc::ENOSYS),
            architecture,
        )?,
        program(
            refused,
            errno(libc::EPERM),
            SeccompAction::Allow,
            architecture,
        )?,
    ])
}

fn program(
    rules: Rules,
    named: SeccompAction,
    rest: SeccompAction,
    architecture: TargetArch,
) -> io::Result<BpfProgram> {
    SeccompFilter::new(rules, rest, named, architecture)
        .and_then(BpfProgram::try_from)
        .map_err(io::Error::other)
}

/// The number of a system call, where the architecture has it.
pub(super) fn number(architecture: TargetArch, name: &str) -> Option<i64> {
    let number = match architecture {
        TargetArch::x86_64 => x86_64::Sysno::from_str(name).map(|call| call.id()),
        TargetArch::aarch64 => aarch64::Sysno::from_str(name).map(|call| call.id()),
        TargetArch::riscv64 => return None,
    };
    number.ok().map(i64::from)
}

/// With which arguments a call is refused: any of the rules, each with all of its conditions.
fn refused_arguments(name: &str) -> io::Result<Vec<SeccompRule>> {
    match name {
        "open" => opening(1),
        "openat" => opening(2),
        "fcntl" => unless(1, DESCRIPTOR_ORDERS),
        "ioctl" => unless(1, DEVICE_ORDERS),
        "prctl" => unless(0, PROCESS_SETTINGS),
        "kill" | "tgkill" => unless(0, &[OWN_PROCESS]),
        "madvise" => Ok(vec![
            rule(&[is(2, libc::MADV_HWPOISON)?])?,
            rule(&[is(2, MADV_SOFT_OFFLINE)?])?,
        ]),
        "clone" => {
            let mut rules = vec![rule(&[masked(0, libc::CLONE_THREAD, 0)?])?];
            for namespace in NAMESPACES {
                rules.push(rule(&[masked(0, *namespace, *namespace)?])?);
            }
            Ok(rules)
        }
        "prlimit64" => Ok(vec![
            rule(&[is_not(0, 0)?])?,
            rule(&[condition(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)?])?,
        ]),
        // The kernel takes a raw one for datagrams.
        "socketpair" => Ok(vec![
            rule(&[is_not(0, libc::AF_UNIX.cast_unsigned())?])?,
            rule(&[masked(1, SOCKET_TYPE, libc::SOCK_DGRAM)?])?,
            rule(&[masked(1, SOCKET_TYPE, libc::SOCK_RAW)?])?,
        ]),
        _ => Err(io::Error::other(format!(
            "`{name}` is answered by its arguments, and none are known"
        ))),
    }
}

/// Files that would be emptied without being opened for writing; the access of the fourth kind, which is for
/// orders to devices alone, is none that Landlock knows.
fn opening(flags: u8) -> io::Result<Vec<SeccompRule>> {
    let access = libc::O_ACCMODE;
    Ok(vec![
        rule(&[masked(flags, access | libc::O_TRUNC, libc::O_TRUNC)?])?,
        rule(&[masked(flags, access, access)?])?,
    ])
}

/// `MADV_SOFT_OFFLINE`, which libc lacks for some C libraries.
const MADV_SOFT_OFFLINE: i32 = 101;

/// The bits of a socket's type that are no flags.
const SOCKET_TYPE: i32 = 0xf;

/// What a thread may not leave.
const NAMESPACES: &[i32] = &[
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// `F_DUPFD`, `F_GETFD`, `F_SETFD`, `F_GETFL`, `F_SETFL`, `F_DUPFD_CLOEXEC`, `F_GETPIPE_SZ`.
const DESCRIPTOR_ORDERS: &[u32] = &[0, 1, 2, 3, 4, 1030, 1032];

/// `TCGETS`, `TCGETS2`, `TIOCGWINSZ`, `FIONREAD`, `FIONBIO`, `FIONCLEX`, `FIOCLEX`.
const DEVICE_ORDERS: &[u32] = &[0x5401, 0x802c_542a, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451];

/// `PR_GET_PDEATHSIG`, `PR_GET_DUMPABLE`, `PR_SET_NAME`, `PR_GET_NAME`, `PR_GET_SECCOMP`, `PR_CAPBSET_READ`,
/// `PR_GET_NO_NEW_PRIVS`, `PR_SET_VMA`.
const PROCESS_SETTINGS: &[u32] = &[2, 3, 15, 16, 21, 23, 39, 0x5356_4d41];

/// Refuses every value of an argument but these.
fn unless(argument: u8, values: &[u32]) -> io::Result<Vec<SeccompRule>> {
    let conditions: Vec<_> = values
        .iter()
        .map(|value| is_not(argument, *value))
        .collect::<io::Result<_>>()?;
    Ok(vec![rule(&conditions)?])
}

fn is(argument: u8, value: i32) -> io::Result<SeccompCondition> {
    let value = u64::from(value.cast_unsigned());
    condition(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

fn is_not(argument: u8, value: u32) -> io::Result<SeccompCondition> {
    let value = u64::from(value);
    condition(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value)
}

fn masked(argument: u8, mask: i32, value: i32) -> io::Result<SeccompCondition> {
    let [mask, value] = [mask, value].map(|bits| u64::from(bits.cast_unsigned()));
    let operator = SeccompCmpOp::MaskedEq(mask);
    condition(argument, SeccompCmpArgLen::Dword, operator, value)
}

fn condition(
    argument: u8,
    length: SeccompCmpArgLen,
    operator: SeccompCmpOp,
    value: u64,
) -> io::Result<SeccompCondition> {
    SeccompCondition::new(argument, length, operator, value).map_err(io::Error::other)
}

fn rule(conditions: &[SeccompCondition]) -> io::Result<SeccompRule> {
    SeccompRule::new(conditions.to_vec()).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const ARCHITECTURES: [TargetArch; 2] = [TargetArch::x86_64, TargetArch::aarch64];

    fn names() -> Vec<&'static str> {
        let calls = FAMILIES.iter().flat_map(|family| family.calls);
        calls.copied().collect()
    }

    #[test]
    fn every_call_of_both_architectures_is_in_one_family() {
        let mut wanted: BTreeSet<&str> = x86_64::Sysno::iter().map(|call| call.name()).collect();
        wanted.extend(aarch64::Sysno::iter().map(|call| call.name()));
        // The iterator leaves out the last.
        wanted.insert(x86_64::Sysno::last().name());
        let names = names();
        let unique: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(unique.len(), names.len());
        assert_eq!(unique, wanted);
    }

    #[test]
    fn the_filters_can_be_made_for_both_architectures() {
        for architecture in ARCHITECTURES {
            let [known, refused] = programs_for(architecture).unwrap();
            // The kernel takes no longer ones.
            assert!(known.len() < 4096 && refused.len() < 4096);
            let own = refused.iter().filter(|step| step.k == OWN_PROCESS).count();
            assert_eq!(own, 2, "{architecture:?}: `kill` and `tgkill`");
            assert!(known.iter().all(|step| step.k != OWN_PROCESS));
        }
    }

    #[test]
    fn both_have_what_any_program_needs() {
        for architecture in ARCHITECTURES {
            for name in ["read", "write", "openat", "mmap", "clone", "exit_group"] {
                assert!(number(architecture, name).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn the_numbers_are_those_of_the_c_library() {
        let here = TargetArch::try_from(std::env::consts::ARCH).unwrap();
        for (name, wanted) in [
            ("clone3", libc::SYS_clone3),
            ("fchmodat", libc::SYS_fchmodat),
            ("memfd_create", libc::SYS_memfd_create),
            ("setxattr", libc::SYS_setxattr),
            ("shmget", libc::SYS_shmget),
            ("utimensat", libc::SYS_utimensat),
        ] {
            assert_eq!(number(here, name), Some(wanted), "{name}");
        }
    }
}
