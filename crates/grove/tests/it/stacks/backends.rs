//! Real back ends and their locks: PostgreSQL, and a server that speaks S3.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{CLUSTER, Site, tofu};
use crate::servers::{Server, free_port};

/// A fleet whose states are on a server that speaks S3.
fn on_s3(port: u16, more: &str) -> Site {
    let state = format!(
        "state: {{backend: s3, bucket: states, endpoint: \"http://127.0.0.1:{port}\"{more}}}"
    );
    let site = Site::with(
        &tofu(),
        &CLUSTER.replace("state: {backend: local, path: ../states}", &state),
    );
    site.world
        .set("AWS_ACCESS_KEY_ID", "access-key-id-of-tests");
    site.world
        .set("AWS_SECRET_ACCESS_KEY", "secret-key-of-tests");
    site
}

/// Starts an apply that takes six seconds, in a cache of that name, and waits until it is in the middle.
fn slow_apply(site: &Site, cache: &str) -> Child {
    site.fault("create network/alpha", "slow");
    let child = site
        .world
        .process(crate::GROVE)
        .args(["stack", "apply", "alpha:network", "--yes"])
        .env("GROVE_CACHE_DIR", site.world.path(cache))
        .current_dir(site.world.fleet())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while site.asked().is_empty() {
        assert!(begun.elapsed() < Duration::from_mins(1), "an apply begins");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

#[track_caller]
fn two_at_once(site: &Site, says: &[&str]) {
    let first = slow_apply(site, "second-cache");
    let refused = site.grove("stack apply alpha:network --yes");
    assert_eq!(refused.code, Some(4), "{refused}");
    for part in says {
        assert!(refused.stderr.contains(part), "{part}: {refused}");
    }
    // One that waits finds the work done.
    let waited = site
        .grove("stack apply alpha:network --yes --lock-timeout 60s")
        .success();
    assert!(
        waited.stdout.starts_with("alpha:network: no changes"),
        "{waited}"
    );
    let first = first.wait_with_output().unwrap();
    assert!(
        first.status.success(),
        "{}",
        String::from_utf8_lossy(&first.stderr)
    );
    assert_eq!(site.asked(), ["create network/alpha"]);
}

#[test]
#[ignore = "stacks: needs OpenTofu, PostgreSQL and a server that speaks S3"]
fn of_two_applies_one_waits_or_hears_who_is_at_work() {
    let server = Server::s3(free_port());
    let says = [
        "its state is locked by ",
        "who is at apply since 20",
        "`grove stack unlock alpha:network ",
    ];
    two_at_once(&on_s3(server.port, ""), &says);

    let directory = tempfile::Builder::new()
        .prefix("grove-postgres-")
        .tempdir()
        .unwrap();
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(directory.path(), readable).unwrap();
    let server = Server::postgres(&directory.path().join("pg"));
    let cluster = CLUSTER.replace("{backend: local, path: ../states}", "{backend: pg}");
    let site = Site::with(&tofu(), &cluster);
    site.world.set(
        "PG_CONN_STR",
        format!(
            "postgres://grove@127.0.0.1:{}/postgres?sslmode=disable",
            server.port
        ),
    );
    two_at_once(
        &site,
        &["its state is locked; PostgreSQL does not say by whom"],
    );
    // Each stack has a schema of its own.
    let _ = site.grove("stack apply alpha --yes").success();
}

#[test]
#[ignore = "stacks: needs OpenTofu and a server that speaks S3"]
fn a_killed_apply_leaves_a_lock_that_is_explained_and_a_state_that_goes_on() {
    let server = Server::s3(free_port());
    let site = on_s3(server.port, "");
    let mut first = slow_apply(&site, "second-cache");
    // Grove and the program that it started, which has a group of its own.
    let running = site.holding("second-cache", "\"process\"");
    let running: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&running[0]).unwrap()).unwrap();
    let program = running["process"].as_u64().unwrap();
    first.kill().unwrap();
    let _ = first.wait();
    assert!(
        Command::new("kill")
            .args(["-9", "--", &format!("-{program}")])
            .status()
            .unwrap()
            .success()
    );
    site.no_fault();

    let refused = |site: &Site| {
        let command = site
            .world
            .command("stack apply alpha:network --yes".split(' '))
            .set("GROVE_CACHE_DIR", site.world.path("second-cache"));
        let refused = command.run();
        assert_eq!(refused.code, Some(4), "{refused}");
        refused
    };
    let error = refused(&site);
    assert!(
        error.stderr.contains(&format!(
            "process {program} of this machine, which last worked on it, is gone"
        )),
        "{error}"
    );
    let id = error.stderr.split("unlock alpha:network ").nth(1).unwrap();
    let id: String = id
        .chars()
        .take_while(|c| !c.is_whitespace() && *c != '`')
        .collect();
    let wrong = site.grove("stack unlock alpha:network 0");
    assert_eq!(wrong.code, Some(4), "{wrong}");
    let _ = site
        .grove(&format!("stack unlock alpha:network {id}"))
        .success();
    let _ = site.grove("stack apply alpha:network --yes").success();
    assert_eq!(
        site.asked(),
        ["create network/alpha", "create network/alpha"]
    );
    assert!(site.world.path("cloud/network/alpha.json").exists());
}

#[test]
#[ignore = "stacks: needs OpenTofu and a server that speaks S3"]
fn an_interrupted_apply_ends_in_good_order_and_leaves_no_lock() {
    let server = Server::s3(free_port());
    let site = on_s3(server.port, "");
    let first = slow_apply(&site, "cache");
    let process = first.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &process])
            .status()
            .unwrap()
            .success()
    );
    let first = first.wait_with_output().unwrap();
    assert_eq!(first.status.code(), Some(130));
    site.no_fault();
    let _ = site.grove("stack apply alpha:network --yes").success();
    assert!(site.world.path("cloud/network/alpha.json").exists());
}

#[test]
#[ignore = "stacks: needs OpenTofu and a server that speaks S3"]
fn a_back_end_that_goes_away_in_the_middle_loses_nothing() {
    let port = free_port();
    let server = Server::s3(port);
    let site = on_s3(port, "");
    let world = &site.world;
    world.set("AWS_MAX_ATTEMPTS", "1");
    let child = slow_apply(&site, "cache");
    drop(server);
    let failed = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert_eq!(failed.status.code(), Some(3), "{said}");
    assert!(world.path("cloud/network/alpha.json").exists(), "{said}");

    // Another server, which has nothing: the state that could not be written is put there.
    let _server = Server::s3(port);
    site.no_fault();
    let again = site.grove("stack apply alpha:network --yes").success();
    assert!(
        again
            .stderr
            .contains("the state that the last apply could not write is in the back end now"),
        "{again}"
    );
    assert_eq!(site.asked(), ["create network/alpha"]);
    assert_eq!(
        site.states("stack plan alpha:network"),
        "alpha:network unchanged"
    );
}

#[test]
#[ignore = "stacks: needs OpenTofu and a server that speaks S3"]
fn an_encrypted_state_holds_nothing_that_can_be_read() {
    let site = Site::with(
        &tofu(),
        &CLUSTER.replace(
            "path: ../states}",
            "path: ../states, encryption: {secret: STATE_KEY}}",
        ),
    );
    let _ = site
        .world
        .command(["secret", "set", "alpha", "STATE_KEY", "--cluster-only"])
        .stdin("a passphrase of many words")
        .run()
        .success();
    let _ = site.grove("stack apply alpha --yes").success();
    let state = site.world.read("states/example/alpha/data.tfstate");
    assert!(
        state.contains("encrypted_data") && !state.contains("simulated_database"),
        "{state}"
    );
    let shown = site.json("stack output alpha:data --sensitive");
    assert_eq!(
        shown["stacks"]["alpha:data"]["mysql_host"],
        "alpha.simulated.example"
    );
    // Terraform is not asked for what it cannot do.
    let refused = site.grove("stack plan alpha --force --program terraform");
    assert_eq!(refused.code, Some(2), "{refused}");
    assert_eq!(
        site.states("stack apply alpha:data --force --yes"),
        "alpha:data no changes"
    );
}

/// What GitLab's API for states answers (<https://docs.gitlab.com/api/terraform/>), as far as the back end
/// `http` uses it: states and locks by path. There is no GitLab here; this shows that what Grove writes
/// fits the protocol.
fn gitlab() -> u16 {
    use std::io::{Read as _, Write as _};
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut states: std::collections::BTreeMap<String, Vec<u8>> =
            std::collections::BTreeMap::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = Vec::new();
            let mut buffer = [0; 4096];
            let (head, mut body) = loop {
                let read = stream.read(&mut buffer).unwrap_or(0);
                if read == 0 {
                    break (String::new(), Vec::new());
                }
                bytes.extend_from_slice(&buffer[..read]);
                if let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
                    break (
                        String::from_utf8_lossy(&bytes[..end]).into_owned(),
                        bytes[end + 4..].to_vec(),
                    );
                }
            };
            let length = head.lines().find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse::<usize>()
                    .ok()
            });
            while body.len() < length.unwrap_or(0) {
                let read = stream.read(&mut buffer).unwrap();
                body.extend_from_slice(&buffer[..read]);
            }
            let mut words = head.split(' ');
            let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            let path = path.split('?').next().unwrap_or("").to_owned();
            let is_allowed = head.contains("Authorization: Basic ");
            let (status, answer) = match (method, path.ends_with("/lock")) {
                _ if !is_allowed => (401, Vec::new()),
                ("GET", false) => match states.get(&path) {
                    Some(state) => (200, state.clone()),
                    None => (404, Vec::new()),
                },
                ("POST", false) => {
                    states.insert(path, body);
                    (200, Vec::new())
                }
                ("POST", true) => {
                    if let Some(holder) = states.get(&path) {
                        (423, holder.clone())
                    } else {
                        states.insert(path, body);
                        (200, Vec::new())
                    }
                }
                ("DELETE", true) => {
                    states.remove(&path);
                    (200, Vec::new())
                }
                _ => (405, Vec::new()),
            };
            let head = format!(
                "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                answer.len()
            );
            let _ = stream.write_all(&[head.as_bytes(), &answer].concat());
        }
    });
    port
}

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn states_and_locks_of_a_gitlab_project() {
    let port = gitlab();
    let state = format!(
        "state: {{backend: gitlab, project: \"http://127.0.0.1:{port}/api/v4/projects/42\"}}"
    );
    let cluster = CLUSTER.replace("state: {backend: local, path: ../states}", &state);
    let site = Site::with(&tofu(), &cluster);
    site.world.set("TF_HTTP_USERNAME", "grove");
    site.world.set("TF_HTTP_PASSWORD", "token-of-gitlab");
    let says = ["its state is locked by ", "who is at apply since 20"];
    two_at_once(&site, &says);
    let _ = site.grove("stack apply alpha --yes").success();
    assert_eq!(
        site.states("stack plan alpha:data --force"),
        "alpha:data no changes"
    );
}
