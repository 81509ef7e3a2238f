//! What a process that renders is answered to each system call.
//!
//! Landlock decides by the path that a call names. What it does not know (modes, times, attributes, memory
//! and queues that outlive a process, other processes, devices, the machine) is decided here, for
//! a process that sets what [`Inner`](super::Inner) says. `docs/isolation.md` is this table.

use std::fmt::Write as _;

/// System calls that do the same kind of thing and get the same answer.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// What they are about.
    pub name: &'static str,
    /// What they are answered.
    pub answer: Answer,
    /// Their names. One that an architecture lacks is passed over there.
    pub calls: &'static [&'static str],
    /// Why, and what holds besides.
    pub why: &'static str,
}

/// What a system call is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is carried out, within what Landlock and the limits allow.
    Allowed,
    /// It is carried out for some arguments, and `EPERM` for others.
    Partly,
    /// `EPERM`.
    Refused,
    /// `ENOSYS`, as where the kernel does not know it: the C library does without. So is every call that is
    /// in no family.
    Absent,
}

impl Answer {
    /// The word for it in the page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Partly => "partly",
            Self::Refused => "refused",
            Self::Absent => "absent",
        }
    }
}

use Answer::{Absent, Allowed, Partly, Refused};

const fn family(
    name: &'static str,
    answer: Answer,
    calls: &'static [&'static str],
    why: &'static str,
) -> Family {
    Family {
        name,
        answer,
        calls,
        why,
    }
}

/// Every system call that Linux has on x86-64 and arm64, each once.
#[rustfmt::skip]
pub const FAMILIES: &[Family] = &[
    family("open files", Allowed, &[
        "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2", "pwritev2",
        "lseek", "close", "close_range", "dup", "dup2", "dup3", "sendfile", "copy_file_range", "fsync",
        "fdatasync", "sync_file_range", "ftruncate", "readahead", "fadvise64", "getdents", "getdents64", "pipe",
        "pipe2",
    ], "256 at once, each of a limited size"),
    family("opening", Partly, &["open", "openat"],
        "as Landlock allows; not to empty a file that is not opened for writing, which Landlock does not see before Linux 6.2"),
    family("names of files", Allowed, &[
        "creat", "mkdir", "mkdirat", "rmdir", "rename", "renameat", "renameat2", "link", "linkat", "unlink",
        "unlinkat", "symlink", "symlinkat", "readlink", "readlinkat", "chdir", "fchdir", "getcwd", "umask",
    ], "as Landlock allows: below its own directory"),
    family("looking at files", Allowed, &[
        "stat", "lstat", "fstat", "newfstatat", "fstatat", "statx", "access", "faccessat", "faccessat2", "statfs",
        "fstatfs",
    ], "that a file exists can be seen everywhere, its content cannot"),
    family("modes and owners", Refused, &[
        "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat",
    ], "Landlock does not restrict them: a key could be made readable to all"),
    family("times of files", Refused, &["utime", "utimes", "futimesat", "utimensat"],
        "Landlock does not restrict them"),
    family("attributes of files", Refused, &[
        "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "getxattr", "lgetxattr", "fgetxattr", "getxattrat",
        "listxattr", "llistxattr", "flistxattr", "listxattrat", "removexattr", "lremovexattr", "fremovexattr",
        "removexattrat", "file_getattr", "file_setattr",
    ], "Landlock does not restrict them"),
    family("truncation by name", Refused, &["truncate"], "Landlock does not restrict it before Linux 6.2"),
    family("devices and named pipes", Refused, &["mknod", "mknodat"],
        "root could make the disk's device in its own directory, and read it"),
    family("space without content", Refused, &["fallocate"],
        "it can take a disk at once, past the limit on the size of a file"),
    family("locks on files", Refused, &["flock"], "what may be read could be locked, and stop others"),
    family("handles of files", Refused, &["name_to_handle_at", "open_by_handle_at"],
        "they lead past every path"),
    family("watching files", Refused, &[
        "inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch", "fanotify_init", "fanotify_mark",
    ], "Landlock does not restrict it: others could be watched at work"),
    family("orders to descriptors", Partly, &["fcntl", "ioctl"],
        "to copy a descriptor, read and set its flags, and ask whether it is a terminal; no locks, leases, owners of signals, flags of files (`FS_IOC_*`) or orders to devices"),
    family("memory", Allowed, &[
        "brk", "mmap", "mprotect", "munmap", "mremap", "msync", "mincore", "mlock", "mlock2", "mlockall", "munlock",
        "munlockall", "membarrier", "pkey_alloc", "pkey_free", "pkey_mprotect", "map_shadow_stack", "mseal",
    ], "as much address space as the limit says"),
    family("advice about memory", Partly, &["madvise"], "not to declare a page broken"),
    family("memory without address", Refused, &["memfd_create", "memfd_secret"],
        "it counts against no limit of a process"),
    family("System V memory, semaphores, queues", Refused, &[
        "shmget", "shmat", "shmctl", "shmdt", "semget", "semop", "semtimedop", "semctl", "msgget", "msgsnd",
        "msgrcv", "msgctl",
    ], "they outlive Grove, and lead from one instance to another"),
    family("POSIX queues", Refused, &[
        "mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive", "mq_notify", "mq_getsetattr",
    ], "they outlive Grove, and lead from one instance to another"),
    family("placement of memory", Refused, &[
        "mbind", "get_mempolicy", "set_mempolicy", "set_mempolicy_home_node", "migrate_pages", "move_pages",
    ], "some reach other processes"),
    family("threads", Partly, &["clone"], "only a thread of its own, in the same namespaces; they are counted"),
    family("threads, the newer call", Absent, &["clone3"],
        "a filter cannot see its flags; the C library uses `clone` instead"),
    family("processes", Refused, &["fork", "vfork"], "as root no limit of the kernel holds for them"),
    family("programs", Refused, &["execve", "execveat"], "rendering starts none"),
    family("its end", Allowed, &["exit", "exit_group", "wait4", "waitid"], "its own"),
    family("signals of its own", Allowed, &[
        "rt_sigaction", "rt_sigprocmask", "rt_sigpending", "rt_sigsuspend", "rt_sigtimedwait", "rt_sigreturn",
        "sigaltstack", "signalfd", "signalfd4", "pause", "restart_syscall",
    ], "what it does with signals"),
    family("sending signals", Partly, &["kill", "tgkill"],
        "only to itself; Landlock restricts signals from Linux 6.12 on"),
    family("signals by other ways", Refused, &[
        "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal",
    ], "a filter cannot see whose process it is"),
    family("other processes", Refused, &[
        "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp",
        "pidfd_open", "pidfd_getfd", "get_robust_list",
    ], "it has no business with them"),
    family("sessions and groups", Refused, &["setsid", "setpgid"], "it is ended by its group"),
    family("order of processes", Refused, &[
        "setpriority", "sched_setaffinity", "sched_setparam", "sched_setscheduler", "sched_setattr", "ioprio_set",
    ], "they reach every process of the user"),
    family("limits", Partly, &["prlimit64"], "its own can be read; none can be set"),
    family("setting limits", Refused, &["setrlimit"], "root could raise its own"),
    family("settings of the process", Partly, &["prctl"],
        "names of threads and of memory; not what ends it with its parent, nor a filter"),
    family("settings of the processor", Allowed, &["arch_prctl"], "of its own thread"),
    family("users and powers", Refused, &[
        "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid",
        "capset",
    ], "root could become another user"),
    family("what it is", Allowed, &[
        "getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getgroups", "getresuid",
        "getresgid", "getpgid", "getpgrp", "getsid", "getrlimit", "getrusage", "getpriority", "getcpu", "uname",
        "sysinfo", "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_getattr",
        "sched_get_priority_max", "sched_get_priority_min", "sched_rr_get_interval", "ioprio_get", "capget",
        "getrandom",
    ], "they change nothing"),
    family("clocks and timers", Allowed, &[
        "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "times",
        "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_settime", "timerfd_create",
        "timerfd_gettime", "timerfd_settime", "getitimer", "setitimer", "alarm",
    ], "its own"),
    family("waiting", Allowed, &[
        "select", "pselect6", "poll", "ppoll", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait",
        "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "futex", "futex_wait", "futex_wake", "futex_requeue",
        "futex_waitv", "set_robust_list", "sched_yield", "rseq", "set_tid_address",
    ], "for what is open, and for threads"),
    family("pairs of sockets", Partly, &["socketpair"],
        "streams only: an end of any other kind can be sent to somebody else's socket"),
    family("using a pair", Allowed, &[
        "sendto", "recvfrom", "shutdown", "getsockname", "getpeername", "getsockopt",
    ], "the other end is its own"),
    family("sockets", Refused, &[
        "socket", "bind", "connect", "listen", "accept", "accept4", "setsockopt",
    ], "no network, and no socket of another program (a container engine, an agent)"),
    family("messages between sockets", Refused, &["sendmsg", "sendmmsg", "recvmsg", "recvmmsg"],
        "they carry open files, which are then counted nowhere"),
    family("moving pages", Refused, &["splice", "tee", "vmsplice"], "rendering has no use for it"),
    family("namespaces", Refused, &["unshare", "setns"], "it stays in its own"),
    family("mounts and quotas", Refused, &[
        "mount", "umount2", "pivot_root", "chroot", "mount_setattr", "move_mount", "open_tree", "open_tree_attr",
        "fsopen", "fsmount", "fsconfig", "fspick", "listmount", "statmount", "quotactl", "quotactl_fd", "swapon",
        "swapoff",
    ], "root could make other paths of the same files"),
    family("the machine", Refused, &[
        "sync", "syncfs", "reboot", "kexec_load", "kexec_file_load", "init_module", "finit_module",
        "delete_module", "syslog", "acct", "vhangup", "sethostname", "setdomainname", "settimeofday",
        "clock_settime", "clock_adjtime", "adjtimex", "iopl", "ioperm", "modify_ldt", "personality",
        "lookup_dcookie", "cachestat",
    ], "every other process would feel it"),
    family("keyrings of the kernel", Refused, &["add_key", "request_key", "keyctl"],
        "they outlive the process, and hold what others put there"),
    family("programs for the kernel", Refused, &[
        "bpf", "perf_event_open", "userfaultfd", "seccomp", "landlock_create_ruleset", "landlock_add_rule",
        "landlock_restrict_self", "lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules",
    ], "the kernel's own ways in"),
    family("probes", Allowed, &["uprobe", "uretprobe"],
        "the kernel hides them from filters, and ends a program that makes them itself"),
    family("work handed to the kernel", Refused, &[
        "io_uring_setup", "io_uring_enter", "io_uring_register", "io_setup", "io_destroy", "io_submit", "io_cancel",
        "io_getevents", "io_pgetevents",
    ], "a filter does not see what is done there"),
    family("opening, the newer call", Absent, &["openat2"],
        "a filter cannot see its flags; programs use `openat` instead"),
    family("calls of the past", Absent, &[
        "_sysctl", "sysfs", "ustat", "uselib", "nfsservctl", "create_module", "get_kernel_syms", "query_module",
        "getpmsg", "putpmsg", "afs_syscall", "tuxcall", "security", "vserver", "epoll_ctl_old", "epoll_wait_old",
        "get_thread_area", "set_thread_area", "remap_file_pages",
    ], "no program that renders uses them"),
    family("calls of 32-bit programs", Absent, &[
        "clock_adjtime64", "clock_getres_time64", "clock_gettime64", "clock_nanosleep_time64", "clock_settime64",
        "futex_time64", "io_pgetevents_time64", "mq_timedreceive_time64", "mq_timedsend_time64", "ppoll_time64",
        "pselect6_time64", "recvmmsg_time64", "rt_sigtimedwait_time64", "sched_rr_get_interval_time64",
        "semtimedop_time64", "timer_gettime64", "timer_settime64", "timerfd_gettime64", "timerfd_settime64",
        "utimensat_time64",
    ], "so are those of x32; one through the interface of i386 ends the process"),
];

/// The table as `docs/isolation.md` has it.
pub fn table() -> String {
    let mut text = String::from("| System calls about | Answer | Which | |\n|---|---|---|---|\n");
    for family in FAMILIES {
        let calls: Vec<String> = family
            .calls
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        // Writing to a text does not fail.
        let _: Result<_, _> = writeln!(
            text,
            "| {} | {} | {} | {} |",
            family.name,
            family.answer.word(),
            calls.join(" "),
            family.why
        );
    }
    text
}
