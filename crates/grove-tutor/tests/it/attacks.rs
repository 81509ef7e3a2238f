//! Plugins that reach beyond their process, as root and as an ordinary user.
//!
//! Each attack is a plugin of a Tutor project that the real Tutor loads. What it did not do is not enough: it
//! must have been refused, and another instance must render as before.

mod user;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;

use grove_exec::Sandbox;
use grove_exec::sandbox::Restriction;
use grove_exec::sandbox::calls::{FAMILIES, table};
use grove_test::Lesser;
use grove_tutor::{Cache, FailureKind, Limits, Worker, WorkerError, WorkerOptions, environment};

use crate::distributions::example;
use crate::machine::{Print, shared_cache};
use crate::rendering::{failure, instance, with_plugin};
use user::User;

/// Attacks by name; each ends in an error of the system where it is refused. `KEY` is a file of the user that
/// renders, with mode 0600; `PARENT` is the process that started this one, `libc` and `call` make system calls.
const ATTACKS: &[(&str, &str)] = &[
    ("chmod", "os.chmod(KEY, 0o644)"),
    (
        "chmod of an open directory",
        "os.chmod(os.path.basename(KEY), 0o644, dir_fd=os.open(os.path.dirname(KEY), os.O_PATH))",
    ),
    (
        "fchmod",
        "os.fchmod(os.open('own', os.O_CREAT | os.O_WRONLY), 0o4755)",
    ),
    (
        "fchmodat2",
        "call('fchmodat2', -100, KEY.encode(), 0o644, 0)",
    ),
    ("chown", "os.chown(KEY, os.getuid(), os.getgid())"),
    ("utime", "os.utime(KEY, (1, 1))"),
    ("setxattr", "os.setxattr(KEY, 'user.grove', b'x')"),
    ("getxattr", "os.getxattr(KEY, 'user.grove')"),
    (
        "setxattrat",
        "call('setxattrat', -100, KEY.encode(), 0, b'user.grove', 0, 0)",
    ),
    (
        "file_setattr",
        "call('file_setattr', -100, KEY.encode(), 0, 0, 0)",
    ),
    ("truncate", "os.truncate(KEY, 0)"),
    ("open to empty", "os.open(KEY, os.O_RDONLY | os.O_TRUNC)"),
    (
        "open to empty what may be read",
        "os.open(os.__file__, os.O_RDONLY | os.O_TRUNC)",
    ),
    ("read", "open(KEY).read()"),
    ("hard link", "os.link(KEY, 'mine')"),
    (
        "flags of a file",
        "fcntl.ioctl(os.open('own', os.O_CREAT | os.O_RDWR), 0x40086602, b'\\0' * 8)",
    ),
    (
        "lock",
        "fcntl.flock(os.open(os.__file__, os.O_RDONLY), fcntl.LOCK_SH)",
    ),
    (
        "lock of a range",
        "fcntl.lockf(os.open(os.__file__, os.O_RDONLY), fcntl.LOCK_SH)",
    ),
    (
        "lease",
        "fcntl.fcntl(os.open('own', os.O_CREAT | os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK)",
    ),
    (
        "signal by a descriptor",
        "fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, PARENT)",
    ),
    (
        "watching files",
        "call('inotify_add_watch', call('inotify_init1', 0), os.path.dirname(KEY).encode(), 0xfff)",
    ),
    ("device", "os.mknod('disk', 0o60600, os.makedev(254, 0))"),
    ("named pipe", "os.mkfifo('pipe')"),
    ("System V memory", "call('shmget', 0x67726f, 4096, 0o1666)"),
    ("System V queue", "call('msgget', 0x67726f, 0o1666)"),
    ("System V semaphore", "call('semget', 0x67726f, 1, 0o1666)"),
    ("POSIX queue", "call('mq_open', b'grove', 0o102, 0o666, 0)"),
    ("POSIX memory", "open('/dev/shm/grove', 'w')"),
    ("memory without address", "os.memfd_create('x')"),
    (
        "disk at once",
        "os.posix_fallocate(os.open('big', os.O_CREAT | os.O_WRONLY), 0, 1 << 20)",
    ),
    ("fork", "os._exit(0) if os.fork() == 0 else None"),
    ("vfork and run", "__import__('subprocess').run(['true'])"),
    ("posix_spawn", "os.posix_spawn('/bin/true', ['true'], {})"),
    ("clone", "call('clone', 17, 0, 0, 0, 0) or os._exit(0)"),
    ("clone3", "call('clone3', 0, 0)"),
    ("become a program", "os.execv('/bin/true', ['true'])"),
    (
        "thread in a namespace",
        "call('clone', 0x10f00 | 0x40000000, 0, 0, 0, 0)",
    ),
    ("kill the parent", "os.kill(PARENT, 0)"),
    ("kill everything", "os.kill(-1, 0)"),
    (
        "kill a thread of another",
        "call('tgkill', PARENT, PARENT, 0)",
    ),
    ("queue a signal", "call('rt_sigqueueinfo', PARENT, 0, 0)"),
    ("trace", "call('ptrace', 16, PARENT, 0, 0)"),
    (
        "other memory",
        "call('process_vm_readv', PARENT, 0, 0, 0, 0, 0)",
    ),
    ("handle of a process", "os.pidfd_open(PARENT)"),
    (
        "priority of the parent",
        "os.setpriority(os.PRIO_PROCESS, PARENT, 19)",
    ),
    (
        "limits of the parent",
        "__import__('resource').prlimit(PARENT, 7, (8, 8))",
    ),
    (
        "own limits",
        "call('prlimit64', 0, 9, ctypes.create_string_buffer(b'\\xff' * 16), 0)",
    ),
    ("outliving Grove", "call('prctl', 1, 0, 0, 0, 0)"),
    ("another user", "os.setuid(12345)"),
    ("namespace", "call('unshare', 0x10000000)"),
    ("mount", "call('mount', b'none', b'.', b'tmpfs', 0, 0)"),
    ("chroot", "os.chroot('.')"),
    ("socket", "__import__('socket').socket()"),
    (
        "abstract socket",
        "__import__('socket').socket(1).connect(b'\\0x')",
    ),
    (
        "datagrams of a pair",
        "__import__('socket').socketpair(type=2)",
    ),
    (
        "passing files",
        "__import__('socket').socketpair()[0].sendmsg([b'x'])",
    ),
    ("work handed to the kernel", "call('io_uring_setup', 1, 0)"),
    ("keyring", "call('add_key', b'user', b'x', b'x', 1, -3)"),
    ("bpf", "call('bpf', 0, 0, 0)"),
    ("sync", "call('sync')"),
    ("host name", "__import__('socket').sethostname('x')"),
    ("clock", "__import__('time').clock_settime(0, 1)"),
    ("a broken page", "call('madvise', 0, 4096, 100)"),
    ("processes", "os.listdir('/proc')"),
    ("a neighbour", "os.listdir('../..')"),
    ("a neighbour's home", "open('../../home/x', 'w')"),
];

/// Attacks on what a process may use: each ends its own instance, or cannot go on.
const GREEDY: &[(&str, &str)] = &[
    (
        "disk",
        "
n = 0
while True:
    with open(f'f{n}', 'wb') as file:
        file.write(bytes(32 << 20))
    n += 1",
    ),
    (
        "disk without a name",
        "
kept = []
while True:
    file = open('x', 'wb')
    os.unlink('x')
    file.write(bytes(32 << 20))
    file.flush()
    kept.append(file)",
    ),
    (
        "files without number",
        "
n = 0
while True:
    os.close(os.open(f'f{n}', os.O_CREAT | os.O_WRONLY))
    n += 1",
    ),
    (
        "directories without end",
        "
while True:
    os.mkdir('d')
    os.chdir('d')",
    ),
    (
        "a directory that cannot be seen",
        "
os.mkdir('closed', 0o300)
os.chdir('closed')
while True:
    os.close(os.open(f'f{time.monotonic()}', os.O_CREAT | os.O_WRONLY))",
    ),
    (
        "threads",
        "
import threading
threading.stack_size(32 << 10)
while True:
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
    ),
    ("memory", "kept = bytearray(2 << 30)"),
    (
        "shared memory",
        "
import mmap
kept = [mmap.mmap(-1, 256 << 20) for _ in range(8)]",
    ),
    (
        "time",
        "
while True: pass",
    ),
];

/// What a plugin may well do.
const LEGITIMATE: &str = "
import asyncio, concurrent.futures, os, shutil, subprocess, tempfile, uuid, pathlib, ctypes.util
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    assert sum(pool.map(abs, range(100))) == 4950
async def later():
    await asyncio.sleep(0.01)
    return 7
assert asyncio.run(later()) == 7
with tempfile.TemporaryDirectory() as directory:
    one = pathlib.Path(directory, 'one')
    one.mkdir()
    (one / 'file').write_text('text')
    (one / 'file').touch()
    shutil.copytree(one, os.path.join(directory, 'two'))
    shutil.copy2(one / 'file', one / 'copy')
    os.replace(one / 'copy', one / 'moved')
with tempfile.TemporaryFile() as file:
    file.write(b'x')
try:
    subprocess.run(['docker', 'info'])
except OSError:
    pass
ctypes.util.find_library('c')
uuid.uuid4(), uuid.uuid1()
";

/// The numbers of calls on this machine, by name.
fn numbers() -> BTreeMap<&'static str, i32> {
    let calls = FAMILIES.iter().flat_map(|family| family.calls);
    calls
        .filter_map(|name| {
            let call: syscalls::Sysno = name.parse().ok()?;
            Some((*name, call.id()))
        })
        .collect()
}

/// The calls that the page says are never carried out, with the error that it says they get.
fn refused_by_the_page() -> Vec<(String, &'static str)> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/isolation.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(&table()), "run `cargo xtask generate`");
    let mut calls = Vec::new();
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let error = match cells[2] {
            "refused" => "EPERM",
            "absent" => "ENOSYS",
            _ => continue,
        };
        let names = cells[3].split(' ').map(|name| name.trim_matches('`'));
        calls.extend(names.map(|name| (name.to_owned(), error)));
    }
    calls
}

/// The start of every attack.
fn preamble(key: &Path) -> String {
    let mut text = format!(
        "
import ctypes, errno, fcntl, os, time
KEY, PARENT = '{}', os.getppid()
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    ctypes.set_errno(0)
    done = libc.syscall(NUMBERS[name], *[
        ctypes.c_long(x) if isinstance(x, int) else x for x in arguments
    ])
    if done < 0:
        raise OSError(ctypes.get_errno(), name)
    return done
NUMBERS = {{",
        key.display()
    );
    for (name, number) in numbers() {
        write!(text, "{name:?}: {number}, ").unwrap();
    }
    text + "}\n"
}

fn worker(user: &User) -> Worker {
    let cache = user.cache();
    let environment = Arc::new(environment(&example("verawood-1"), &cache, &Print).unwrap());
    let limits = Limits {
        cpu_seconds: 8,
        wall_seconds: 40,
        ..Limits::default()
    };
    let options = WorkerOptions {
        parallel: 2,
        limits,
    };
    Worker::start(environment, &cache, &options).unwrap()
}

/// All attacks of a user's plugins.
fn attack(user: &User) {
    let worker = worker(user);
    what_it_has_is_what_it_should(user, &worker);
    let before = worker.render(&instance("sound")).unwrap();
    let key = user.file("key", "AGE-SECRET-KEY-1");
    let old = std::fs::metadata(&key).unwrap();
    let preamble = preamble(&key);
    let mut done = Vec::new();
    for (name, code) in ATTACKS {
        let code = format!(
            "{preamble}
try:
    {code}
except OSError as error:
    raise RuntimeError(f'refused with {{errno.errorcode[error.errno]}}') from None
raise RuntimeError('not refused')"
        );
        let message = failure(&worker, &with_plugin("bad", &code)).message;
        let refused = ["EPERM", "EACCES", "ENOSYS", "EXDEV"];
        if !refused
            .iter()
            .any(|error| message.ends_with(&format!("refused with {error}")))
        {
            done.push(format!("{name}: {message}"));
        }
    }
    assert_eq!(done, Vec::<String>::new(), "as {user:?}");
    every_refused_call_is_refused(&worker, &preamble);
    assert_eq!(std::fs::read_to_string(&key).unwrap(), "AGE-SECRET-KEY-1");
    let new = std::fs::metadata(&key).unwrap();
    assert_eq!(
        (new.mode(), new.mtime(), new.ctime(), new.uid()),
        (old.mode(), old.mtime(), old.ctime(), old.uid())
    );
    worker
        .render(&with_plugin("legitimate", LEGITIMATE))
        .unwrap();
    std::thread::scope(|scope| {
        // The rest of the fleet renders all the while.
        let sound = scope.spawn(|| {
            (0..6).all(|_| worker.render(&instance("sound")).unwrap().files == before.files)
        });
        for (name, code) in GREEDY {
            let failure = failure(&worker, &with_plugin("bad", &format!("{preamble}{code}")));
            println!("{name}: {failure}");
            let kinds = [FailureKind::Limit, FailureKind::Plugin];
            assert!(kinds.contains(&failure.kind), "{name}: {failure:?}");
            // Where the kernel counts, it is the plugin that sees the error.
            if failure.kind == FailureKind::Plugin {
                let told = [
                    "can't start new thread",
                    "Cannot allocate",
                    "File too large",
                ];
                assert!(
                    told.iter().any(|text| failure.message.contains(text)),
                    "{name}: {failure:?}"
                );
            }
        }
        assert!(sound.join().unwrap());
    });
    assert_eq!(
        worker.render(&instance("sound")).unwrap().files,
        before.files
    );
    drop(worker);
    let scratch = user.root().join("scratch");
    assert_eq!(std::fs::read_dir(scratch).unwrap().count(), 0);
}

/// It runs as the user, with namespaces or without, so that what is tried is tried there.
fn what_it_has_is_what_it_should(user: &User, worker: &Worker) {
    let code = "import os\nraise RuntimeError(f'user {os.getuid()}')";
    let message = failure(worker, &with_plugin("who", code)).message;
    if let Some(id) = user.id() {
        assert!(message.ends_with(&format!("user {id}")), "{message}");
    }
    let sandbox = Sandbox {
        launcher: user.launcher(),
        ..Sandbox::default()
    };
    let report = sandbox.probe().unwrap();
    assert_eq!(report.below_floor(), []);
    assert!(
        user.has_namespaces() || !report.user_namespace,
        "{report:?}"
    );
}

/// Each call that the page says is refused is tried, with arguments that make no sense: the filter answers before
/// the kernel looks at them.
fn every_refused_call_is_refused(worker: &Worker, preamble: &str) {
    let numbers = numbers();
    let mut code = format!("{preamble}parted = []\ntried = 0\n");
    let mut tried = 0;
    for (name, error) in refused_by_the_page() {
        if !numbers.contains_key(name.as_str()) {
            continue;
        }
        tried += 1;
        write!(
            code,
            "
try:
    call({name:?}, -1, -1, -1, -1, -1, -1)
    parted.append({name:?})
except OSError as error:
    tried += 1
    if error.errno != errno.{error}:
        parted.append(f'{name} {{errno.errorcode[error.errno]}}')
"
        )
        .unwrap();
    }
    // What no version of Linux has yet.
    code += "
for number in (600, 1000, 0x40000000 | 41, 0x40000000 | 29):
    if libc.syscall(number, 0, 0, 0) != -1 or ctypes.get_errno() != errno.ENOSYS:
        parted.append(number)
raise RuntimeError(f'tried {tried}, parted {parted}')
";
    let message = failure(worker, &with_plugin("bad", &code)).message;
    assert!(tried > 180, "{tried}");
    assert!(
        message.ends_with(&format!("tried {tried}, parted []")),
        "{message}"
    );
}

#[test]
#[ignore = "tutor: needs the package index"]
fn a_plugin_reaches_nothing_beyond_its_process() {
    attack(&User::current());
}

#[test]
#[ignore = "tutor: needs the package index"]
fn nor_does_one_of_an_ordinary_user_where_the_tests_run_as_root() {
    if let Some(user) = User::ordinary() {
        attack(&user);
    }
}

#[test]
#[ignore = "tutor: needs the package index"]
fn nor_where_there_is_no_namespace() {
    attack(&User::current().without_namespaces());
    if let Some(user) = User::ordinary() {
        attack(&user.without_namespaces());
    }
}

#[test]
#[ignore = "tutor: needs the package index"]
fn below_the_floor_nothing_is_rendered() {
    let shared = shared_cache();
    let environment = Arc::new(environment(&example("verawood-1"), &shared, &Print).unwrap());
    let directory = tempfile::tempdir().unwrap();
    let launcher = directory.path().join("launcher");
    for (lesser, lacks, words) in [
        (
            Lesser::NoLandlock,
            Restriction::Files,
            "Linux 5.13 or newer",
        ),
        (Lesser::NoFilters, Restriction::Calls, "seccomp"),
    ] {
        let script = lesser.script(shared.launcher.to_str().unwrap());
        std::fs::write(&launcher, script).unwrap();
        std::fs::set_permissions(&launcher, Permissions::from_mode(0o755)).unwrap();
        let cache = Cache {
            launcher: launcher.clone(),
            ..shared.clone()
        };
        let options = WorkerOptions::default();
        let error = Worker::start(Arc::clone(&environment), &cache, &options).unwrap_err();
        println!("{error}\n  hint: {:?}", error.hint());
        assert!(
            matches!(&error, WorkerError::Unconfined(lacking) if lacking == &[lacks]),
            "{error}"
        );
        assert!(error.hint().unwrap().contains(words));
    }
}
