//! Confined programs, on the kernel that runs the tests. What that kernel does not have is not
//! tested, and the test of the report says so.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use grove_exec::sandbox::{FLOOR, Report, Restriction};
use grove_exec::{ExecError, Invocation, Sandbox};
use grove_test::Lesser;

fn sandbox() -> Sandbox {
    Sandbox {
        launcher: PathBuf::from(env!("CARGO_BIN_EXE_grove-exec-launcher")),
        ..Sandbox::default()
    }
}

fn report() -> Report {
    sandbox().probe().unwrap()
}

/// A run of the system's own Python, whose library the sandbox lets it read.
fn python(sandbox: Sandbox, script: &str) -> Result<String, ExecError> {
    Invocation::new("/usr/bin/python3")
        .args(["-I", "-c", script])
        .sandbox(sandbox)
        .timeout(Duration::from_mins(1))
        .run()?
        .text()
}

#[test]
fn the_kernel_gives_every_restriction() {
    if cfg!(not(target_os = "linux"))
        || !Path::new("/sys/kernel/security/landlock").exists() && !report().files
    {
        return;
    }
    let report = report();
    assert!(report.has(Restriction::Files), "{report:?}");
    assert!(report.has(Restriction::Network), "{report:?}");
}

#[test]
fn only_files_that_were_given_are_read_and_written() {
    if !report().files {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (shown, open, hidden) = (
        dir.path().join("shown"),
        dir.path().join("open"),
        dir.path().join("hidden"),
    );
    for directory in [&shown, &open, &hidden] {
        std::fs::create_dir(directory).unwrap();
        std::fs::write(directory.join("file"), "text").unwrap();
    }
    std::os::unix::fs::symlink(&hidden, open.join("way-out")).unwrap();
    let confined = Sandbox {
        read: vec![shown.clone(), dir.path().join("does-not-exist")],
        write: vec![open.clone()],
        ..sandbox()
    };
    let script = format!(
        r#"
import os
def attempt(what):
    try:
        what()
        return "yes"
    except PermissionError:
        return "no"
for directory in ({shown:?}, {open:?}, {hidden:?}, {open:?} + "/way-out"):
    print(attempt(lambda: open(directory + "/file").read()),
          attempt(lambda: open(directory + "/new", "w").write("x")),
          attempt(lambda: os.listdir(directory)))
print(attempt(lambda: os.rename({open:?} + "/file", {shown:?} + "/stolen")))
print(attempt(lambda: open("/proc/1/environ").read()))
print(attempt(lambda: open("/dev/null", "w").write("x")))
"#
    );
    assert_eq!(
        python(confined, &script).unwrap(),
        "yes no yes\nyes yes yes\nno no no\nno no no\nno\nno\nyes\n"
    );
    assert!(open.join("new").exists() && !hidden.join("new").exists());
}

#[test]
fn there_is_no_network() {
    if !report().has(Restriction::Network) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let path = dir.path().join("socket");
    let _unix = UnixListener::bind(&path).unwrap();
    let script = format!(
        r#"
import socket
for family, address in ((socket.AF_INET, ("127.0.0.1", {})), (socket.AF_UNIX, {path:?})):
    try:
        socket.socket(family).connect(address)
        print("connected")
    except OSError as error:
        print("refused")
a, b = socket.socketpair()
a.send(b"pair")
print(b.recv(4).decode())
# An end of such a pair can be sent to any other socket, or connected anew.
try:
    socket.socketpair(type=socket.SOCK_DGRAM)
    print("datagrams")
except OSError as error:
    print("refused")
"#,
        tcp.local_addr().unwrap().port()
    );
    let readable = Sandbox {
        write: vec![dir.path().to_owned()],
        ..sandbox()
    };
    let open = Sandbox {
        network: true,
        ..readable.clone()
    };
    assert_eq!(
        python(readable, &script).unwrap(),
        "refused\nrefused\npair\nrefused\n"
    );
    // The listeners do answer.
    assert_eq!(
        python(open, &script).unwrap(),
        "connected\nconnected\npair\ndatagrams\n"
    );
}

#[test]
fn memory_cpu_time_and_files_are_limited() {
    let memory = Sandbox {
        memory: Some(256 << 20),
        ..sandbox()
    };
    let error = python(memory.clone(), "x = bytearray(512 << 20)").unwrap_err();
    assert!(error.to_string().contains("MemoryError"), "{error}");
    python(memory, "x = bytearray(64 << 20)").unwrap();

    let cpu = Sandbox {
        cpu_seconds: Some(1),
        ..sandbox()
    };
    let start = Instant::now();
    let error = python(cpu, "while True: pass").unwrap_err();
    assert!(matches!(error, ExecError::Failed { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(50));

    let dir = tempfile::tempdir().unwrap();
    let file = Sandbox {
        file_size: Some(1000),
        write: vec![dir.path().to_owned()],
        ..sandbox()
    };
    let script = format!(
        "with open({:?}, 'wb') as file: file.write(bytes(2000))",
        dir.path().join("x")
    );
    let error = python(file, &script).unwrap_err();
    assert!(error.to_string().contains("File too large"), "{error}");
}

#[test]
fn nothing_of_the_user_reaches_the_environment() {
    let text = Invocation::new("env")
        .sandbox(sandbox())
        .env("HOME", "/nowhere")
        .run();
    let text = text.unwrap().text().unwrap();
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split('=').next())
        .collect();
    assert_eq!(names, ["HOME", "LANG", "LC_ALL", "PATH"]);
}

#[test]
fn what_it_was_required_to_have_is_there_or_it_does_not_start() {
    let wanted = Sandbox {
        require: [Restriction::Files, Restriction::Network].into(),
        ..sandbox()
    };
    let allowed = report().has(Restriction::Files) && report().has(Restriction::Network);
    assert_eq!(python(wanted, "pass").is_ok(), allowed);
    // Network was asked for and forbidden at once: that cannot be.
    let never = Sandbox {
        require: [Restriction::Network].into(),
        network: true,
        ..sandbox()
    };
    let error = python(never, "pass").unwrap_err().to_string();
    assert!(error.contains("exited with 126"), "{error}");
    assert!(
        error.contains("cannot confine a program's network"),
        "{error}"
    );
}

#[test]
fn what_is_below_the_floor_is_told() {
    if !report().below_floor().is_empty() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let lesser = Sandbox {
        launcher: dir.path().join("launcher"),
        ..sandbox()
    };
    for (machine, lacks) in [
        (Lesser::NoLandlock, vec![Restriction::Files]),
        (Lesser::NoFilters, vec![Restriction::Calls]),
        // The floor needs none.
        (Lesser::NoNamespaces, Vec::new()),
    ] {
        let script = machine.script(env!("CARGO_BIN_EXE_grove-exec-launcher"));
        std::fs::write(&lesser.launcher, script).unwrap();
        std::fs::set_permissions(&lesser.launcher, Permissions::from_mode(0o755)).unwrap();
        let report = lesser.probe().unwrap();
        let below = report.below_floor();
        let all = lacks.iter().all(|one| below.contains(one));
        assert!(
            all && below.is_empty() == lacks.is_empty(),
            "{machine:?}: {report:?}"
        );
        let needed = Sandbox {
            require: FLOOR.into(),
            ..lesser.clone()
        };
        assert_eq!(
            python(needed, "pass").is_ok(),
            lacks.is_empty(),
            "{machine:?}"
        );
    }
}

#[test]
fn a_directory_of_memory_has_an_end_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("before"), "text").unwrap();
    let confined = Sandbox {
        write: vec![dir.path().to_owned()],
        scratch: Some(1 << 20),
        ..sandbox()
    };
    if !confined.probe().unwrap().scratch {
        return;
    }
    let script = format!(
        r#"
import os
os.chdir({:?})
print(os.listdir())
open("small", "wb").write(bytes(1 << 19))
try:
    open("large", "wb").write(bytes(1 << 20))
except OSError as error:
    print(error.strerror)
"#,
        dir.path()
    );
    let text = python(confined, &script).unwrap();
    assert_eq!(text, "[]\nNo space left on device\n");
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn no_device_is_made_in_its_directory() {
    let dir = tempfile::tempdir().unwrap();
    let confined = Sandbox {
        write: vec![dir.path().to_owned()],
        ..sandbox()
    };
    let script = format!(
        "import os; os.mknod({:?}, 0o20600, os.makedev(1, 3))",
        dir.path().join("x")
    );
    let error = python(confined, &script).unwrap_err().to_string();
    assert!(error.contains("PermissionError"), "{error}");
}

#[test]
fn it_dies_with_its_parent() {
    if cfg!(not(target_os = "linux")) {
        return;
    }
    // The parent is a launcher of its own: it starts a confined `sleep` and is then killed.
    let dir = tempfile::tempdir().unwrap();
    let pid_file = dir.path().join("pid");
    let description = serde_json::json!({"parent": 0, "sandbox": sandbox_json()});
    let script = format!(
        r#"
import json, os, subprocess, time
description = json.loads({:?})
description["parent"] = os.getpid()
child = subprocess.Popen([{:?}, "sandbox", json.dumps(description), "--", "/bin/sleep", "100"],
    # Out of the group: what is under test is the kernel's signal, not the end of the group.
    start_new_session=True)
time.sleep(0.3)
open({:?}, "w").write(str(child.pid))
os.kill(os.getpid(), 9)
"#,
        description.to_string(),
        env!("CARGO_BIN_EXE_grove-exec-launcher"),
        pid_file,
    );
    let outcome = Invocation::new("python3")
        .args(["-I", "-c", &script])
        .run_any()
        .unwrap();
    assert!(!outcome.status.success());
    let pid = std::fs::read_to_string(&pid_file).unwrap();
    let process = PathBuf::from(format!("/proc/{pid}"));
    let deadline = Instant::now() + Duration::from_secs(10);
    while process.exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!process.exists());
}

fn sandbox_json() -> serde_json::Value {
    serde_json::to_value(sandbox()).unwrap()
}
