//! Ends in the middle: Ctrl-C, and a death without a farewell.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use grove_test::World;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{UNI, branches, deploys, world_with_remote};
use crate::{GROVE, edit};

/// How long is waited for something that happens at once on an idle machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A process, told from a later one with the same number by when it was started.
type Process = (i32, String);

#[track_caller]
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "{what}: not in {PATIENCE:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A process's parent and when it was started (`/proc/<id>/stat`, see proc(5)); none where it has
/// ended.
fn status(id: i32) -> Option<(i32, String)> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses may hold anything.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let alive = !matches!(fields[0], "Z" | "X");
    alive.then(|| (fields[1].parse().unwrap(), fields[19].to_owned()))
}

/// Everything that `root` started and that runs.
fn descendants(root: i32) -> BTreeSet<Process> {
    let all: Vec<(i32, i32, String)> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|id| status(id).map(|(parent, start)| (id, parent, start)))
        .collect();
    let mut found = BTreeSet::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for (id, _, start) in all.iter().filter(|process| process.1 == parent) {
            found.insert((*id, start.clone()));
            parents.push(*id);
        }
    }
    found
}

/// Starts a run and waits until `begun` of its process id.
#[track_caller]
fn start(world: &World, arguments: &[&str], begun: impl Fn(i32) -> bool) -> (Child, i32) {
    let messages = world.path("messages");
    let mut child = world
        .process(GROVE)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&messages).unwrap())
        .spawn()
        .unwrap();
    let id = child.id().try_into().unwrap();
    wait_until("the run has begun", || {
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "{ended:?}: {}", world.read("messages"));
        begun(id)
    });
    (child, id)
}

/// Starts a deploy and waits until it pushes, which [`hold_pushes`] holds up.
#[track_caller]
fn start_deploy(world: &World) -> (Child, i32) {
    start(world, &["deploy", "alpha/uni"], |_| {
        world.path("pushed").exists()
    })
}

/// Ends a run without a farewell, with all that it started, as where a machine loses its power.
fn lose_power(mut child: Child, id: i32) {
    let started = descendants(id);
    child.kill().unwrap();
    child.wait().unwrap();
    for (id, _) in started {
        // Some end with the one before.
        let _: Result<_, _> = kill(Pid::from_raw(id), Signal::SIGKILL);
    }
}

/// Interrupts a run as a terminal does, and waits until nothing of it is left.
#[track_caller]
fn interrupt(mut child: Child, id: i32) {
    let started = descendants(id);
    assert!(!started.is_empty());
    kill(Pid::from_raw(id), Signal::SIGINT).unwrap();
    wait_until("the interrupted run ends", || {
        child.try_wait().unwrap().is_some()
    });
    assert_eq!(child.wait().unwrap().code(), Some(130));
    wait_until("what it started ends", || {
        started
            .iter()
            .all(|(id, start)| status(*id).is_none_or(|(_, now)| now != *start))
    });
}

/// Makes pushes to the deploy repository wait, just before they are accepted or just after.
fn hold_pushes(world: &World, hook: &str) {
    let path = format!("deploy-alpha.git/hooks/{hook}");
    let marker = world.path("pushed");
    world.write(
        &path,
        format!("#!/bin/sh\n: > '{}'\nexec sleep 300\n", marker.display()),
    );
    fs::set_permissions(world.path(path), fs::Permissions::from_mode(0o755)).unwrap();
}

fn let_pushes_pass(world: &World, hook: &str) {
    fs::remove_file(world.path(format!("deploy-alpha.git/hooks/{hook}"))).unwrap();
    fs::remove_file(world.path("pushed")).unwrap();
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn an_interrupted_render_leaves_nothing_behind() {
    let world = world_with_remote();
    let file = world.fleet().join(UNI);
    let plugin = file.with_file_name("plugins/slow.py");
    edit(&world, UNI, "footer: {}", "footer: {}, slow: {}");
    fs::write(&plugin, "import time; time.sleep(100)\n").unwrap();
    let out = world.path("out").display().to_string();
    let words = ["render", "alpha/uni", "--no-cache", "--out", &out];
    // Python, and the child that it forks for the instance.
    let (child, id) = start(&world, &words, |id| {
        let pythons = descendants(id).into_iter().filter(|(id, _)| is_python(*id));
        pythons.count() > 1
    });
    interrupt(child, id);
    assert!(!Path::new(&out).exists());

    fs::write(&plugin, "").unwrap();
    let _ = world.grove(words).success();
}

fn is_python(id: i32) -> bool {
    fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name.starts_with("python"))
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn an_interrupted_deploy_has_changed_nothing() {
    let world = world_with_remote();
    hold_pushes(&world, "pre-receive");
    let (child, id) = start_deploy(&world);
    interrupt(child, id);
    assert_eq!(branches(&world), "");
    let_pushes_pass(&world, "pre-receive");
    deploys(&world);
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn a_killed_deploy_is_whole_or_has_not_happened() {
    let world = world_with_remote();
    hold_pushes(&world, "pre-receive");
    let (child, id) = start_deploy(&world);
    lose_power(child, id);
    assert_eq!(branches(&world), "");
    let_pushes_pass(&world, "pre-receive");
    deploys(&world);

    // Once more, when the deploy repository has the commit and Grove has not heard of it.
    edit(
        &world,
        UNI,
        "SESSION_COOKIE_AGE: 1209600",
        "SESSION_COOKIE_AGE: 604800",
    );
    world.repository(&world.fleet()).commit("A shorter session");
    let before = branches(&world);
    hold_pushes(&world, "post-receive");
    let (child, id) = start_deploy(&world);
    lose_power(child, id);
    let after = branches(&world);
    assert_ne!(after, before);
    let_pushes_pass(&world, "post-receive");
    let again = world.grove(["deploy", "alpha/uni"]).success();
    assert!(again.stdout.contains("nothing changed"), "{again}");
    assert_eq!(branches(&world), after);
}
