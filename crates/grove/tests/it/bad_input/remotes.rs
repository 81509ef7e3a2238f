//! Deploy repositories that are missing, say no, or are elsewhere.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    thread,
};

use grove_test::World;

use super::{branches, deploys, world_with_remote};
use crate::example_world;

/// Gives the deploy repository of `alpha` a hook.
fn hook(world: &World, name: &str, script: &str) {
    let path = format!("deploy-alpha.git/hooks/{name}");
    world.write(&path, format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(world.path(path), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn a_missing_repository_is_named_with_what_to_do() {
    let world = example_world();
    let output = world.grove(["deploy", "alpha/uni"]).exits(3);
    assert!(output.stderr.contains("deploy-alpha.git"), "{output}");
    assert!(output.stderr.contains("--create-remote"), "{output}");
    assert!(!world.path("deploy-alpha.git").exists());
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn a_repository_that_refuses_says_why_and_keeps_what_it_had() {
    let world = world_with_remote();
    let refuse = "echo 'the deploy window opens on Monday' >&2\nexit 1";
    for name in ["pre-receive", "update"] {
        hook(&world, name, refuse);
        let output = world.grove(["deploy", "alpha/uni"]).exits(3);
        assert!(
            output.stderr.contains("the deploy window opens on Monday"),
            "{output}"
        );
        assert!(output.stderr.contains("deploy/alpha"), "{output}");
        assert_eq!(branches(&world), "");
        fs::remove_file(world.path(format!("deploy-alpha.git/hooks/{name}"))).unwrap();
    }
    deploys(&world);
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn a_repository_that_has_moved_is_not_followed() {
    let world = world_with_remote();
    deploys(&world);
    fs::rename(world.path("deploy-alpha.git"), world.path("elsewhere.git")).unwrap();
    let output = world.grove(["deploy", "alpha/uni"]).exits(3);
    assert!(output.stderr.contains("deploy-alpha.git"), "{output}");

    // A server can say where it went; the operator decides whether to believe it.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut lines = BufReader::new(connection.try_clone().unwrap()).lines();
            let request = lines.next().unwrap().unwrap();
            let path = request.split(' ').nth(1).unwrap().replace("old", "new");
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let answer = if request.contains("/old") {
                format!("301 Moved Permanently\r\nLocation: {path}")
            } else {
                "404 Not Found".to_owned()
            };
            write!(
                connection,
                "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
        }
    });
    let url = format!("http://127.0.0.1:{port}/old-{{cluster}}.git");
    let output = world
        .command(["deploy", "alpha/uni", "--deploy-remote", &url])
        .set("NO_PROXY", "127.0.0.1")
        .set("no_proxy", "127.0.0.1")
        .run()
        .exits(3);
    assert!(output.stderr.contains("has moved"), "{output}");
    assert!(output.stderr.contains("deploy.remote"), "{output}");
}
