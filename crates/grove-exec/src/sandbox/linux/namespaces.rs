//! A user namespace, which takes root's powers over the machine away, and a network namespace
//! without any interface that is up.

use std::fs;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

use crate::sandbox::Report;

/// Enters the namespaces that the kernel lets this process make.
pub(super) fn enter(network: bool, report: &mut Report) {
    let (user, group) = (geteuid(), getegid());
    let wanted = if network {
        CloneFlags::CLONE_NEWUSER
    } else {
        CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET
    };
    if unshare(wanted).is_ok() {
        report.user_namespace = true;
        report.network_namespace = !network;
        // The program keeps its user and group. Where the kernel refuses, it runs as nobody, with
        // the same access to files.
        let map = fs::write("/proc/self/uid_map", format!("{user} {user} 1"))
            .and_then(|()| fs::write("/proc/self/setgroups", "deny"))
            .and_then(|()| fs::write("/proc/self/gid_map", format!("{group} {group} 1")));
        drop(map);
    } else if !network {
        // Root in a container may make a network namespace where it may not make the other.
        report.network_namespace = unshare(CloneFlags::CLONE_NEWNET).is_ok();
    }
}
