//! What tells whether a worker is at work: the real Celery and Redis, started as the rendered Deployment does.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Server, Site, directory, python};

/// The application, where Tutor's arguments look for Open edX's.
const APPLICATION: &str = "
import os, pathlib
from celery import Celery
celery = APP = Celery('lms', broker=os.environ['BROKER'])
@APP.task(name='write')
def write(name):
    pathlib.Path(name).write_text('done')
";

fn texts(value: &Value, path: &str) -> Vec<String> {
    let list = value.pointer(path).and_then(Value::as_array);
    let list = list.unwrap_or_else(|| panic!("{path} of {value}"));
    list.iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

/// Ends a worker with its children.
struct Worker(std::process::Child);

impl Worker {
    fn signal(&self, signal: &str) {
        let number = self.0.id().to_string();
        let sent = Command::new("kill").args([signal, &number]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).status();
        let _ = self.0.wait();
    }
}

#[track_caller]
fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
#[ignore = "data-services: needs Redis and Celery"]
fn a_worker_that_hangs_or_has_no_broker_writes_no_heartbeat() {
    let site = Site::new("{}", "{bucket: {name: uni-media}}");
    let deployment = site.rendered("deployment-lms-worker.yaml");
    let container = deployment
        .pointer("/spec/template/spec/containers/0")
        .unwrap();
    let heartbeat = site.world.path("heartbeat");
    let here = |text: &String| text.replace("/tmp/grove-worker", &heartbeat.display().to_string());
    let args: Vec<String> = texts(container, "/args").iter().map(here).collect();
    assert_eq!(args[0], "python");
    let ask = |probe: &str| {
        let command = texts(container, &format!("/{probe}/exec/command"));
        let mut command = command.iter().map(here);
        let mut asked = Command::new(command.next().unwrap());
        let output = asked.args(command).output().unwrap();
        output.status.success()
    };
    let probes = ["startupProbe", "readinessProbe", "livenessProbe"];
    assert!(probes.iter().all(|probe| !ask(probe)));

    let directory = directory();
    let broker = |server: &Server| format!("redis://admin:adminpw@127.0.0.1:{}/0", server.port);
    let redis = Server::redis(directory.path());
    site.world.write("app/lms/__init__.py", "");
    site.world.write("app/lms/celery.py", APPLICATION);
    let start = |program: &mut Command| {
        program
            .current_dir(site.world.path("app"))
            .env("BROKER", broker(&redis))
            .env("PYTHONPATH", site.world.path("app"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut program = python();
    std::os::unix::process::CommandExt::process_group(program.args(&args[1..]), 0);
    let worker = Worker(start(&mut program));
    until("the worker begins", || ask("startupProbe"));

    // It still does what Celery's own program does.
    let done = site.world.path("done");
    let send = "import sys, lms.celery\nlms.celery.APP.send_task('write', [sys.argv[1]], queue='edx.lms.core.default')";
    let mut sender = python();
    sender.args(["-c", send]).arg(&done);
    assert!(start(&mut sender).wait().unwrap().success());
    until("the task is done", || done.exists());

    // Twice the time between two heartbeats passes without one.
    let is_silent = || {
        let minutes = ["-d", "2 minutes ago"];
        let aged = Command::new("touch").args(minutes).arg(&heartbeat).status();
        assert!(aged.unwrap().success());
        std::thread::sleep(Duration::from_secs(5));
        probes.iter().all(|probe| !ask(probe))
    };
    // It hangs, and goes on.
    worker.signal("-STOP");
    until("the worker hangs", is_silent);
    worker.signal("-CONT");
    until("the worker goes on", || ask("livenessProbe"));

    // Its broker goes, and comes back.
    let port = redis.port;
    drop(redis);
    until("the worker has no broker", is_silent);
    let _redis = Server::redis_at(directory.path(), port);
    until("the worker is connected again", || ask("livenessProbe"));
}
