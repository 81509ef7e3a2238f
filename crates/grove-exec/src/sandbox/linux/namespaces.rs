//! A user namespace, which takes root's powers over the machine away, one for what processes share (System V
//! memory, queues), which ends with them, and a network namespace without any interface that is up.

use std::{env, fs, io};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

use crate::sandbox::{Report, Sandbox};

/// Enters the namespaces that the kernel lets this process make.
pub(super) fn enter(sandbox: &Sandbox, report: &mut Report) {
    let network = sandbox.network;
    let (user, group) = (geteuid(), getegid());
    let wanted = if network {
        CloneFlags::CLONE_NEWUSER
    } else {
        CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET
    };
    if unshare(wanted).is_ok() {
        // It is on top of what a filter refuses, and there or not.
        report.ipc_namespace = unshare(CloneFlags::CLONE_NEWIPC).is_ok();
        report.user_namespace = true;
        report.network_namespace = !network;
        // The program keeps its user and group. Where the kernel refuses, it runs as nobody, with
        // the same access to files.
        let map = fs::write("/proc/self/uid_map", format!("{user} {user} 1"))
            .and_then(|()| fs::write("/proc/self/setgroups", "deny"))
            .and_then(|()| fs::write("/proc/self/gid_map", format!("{group} {group} 1")));
        drop(map);
        if let Some(size) = sandbox.scratch {
            report.scratch = scratch(sandbox, size).is_ok();
        }
    } else if !network {
        // Root in a container may make a network namespace where it may not make the other.
        report.network_namespace = unshare(CloneFlags::CLONE_NEWNET).is_ok();
    }
}

/// Puts memory over the directories that may be written. It is on top of what is counted, and there or not.
fn scratch(sandbox: &Sandbox, size: u64) -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    let here = env::current_dir()?;
    let options = format!("size={size},mode=0700");
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    for path in &sandbox.write {
        let kind = Some("tmpfs");
        mount(kind, path, kind, flags, Some(options.as_str()))?;
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "what is covered now can still be where this process is, which is about to become another program"
    )]
    env::set_current_dir(here)
}
