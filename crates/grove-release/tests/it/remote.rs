//! Remotes that are missing, refuse, have moved or changed their mind.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
};

use grove_release::Error;

use crate::support::{Place, deploy};

/// A web server that gives one answer, for as long as the tests run. Its port.
fn server(answer: impl Fn(&str) -> String + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let path = request.split(' ').nth(1).unwrap_or("/").to_owned();
            drop(stream.write_all(answer(&path).as_bytes()));
        }
    });
    port
}

fn status(line: &'static str) -> u16 {
    server(move |_| format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
}

fn error_of(place: &Place, remote: &str) -> Error {
    place.open(&place.remote_at(remote), "a").err().unwrap()
}

#[test]
fn a_missing_remote_is_named() {
    let place = Place::new();
    place.world.write("a-directory/file", "x");
    let port = status("404 Not Found");
    for remote in [
        "nowhere.git".to_owned(),
        "a-directory".to_owned(),
        format!("file://{}/nowhere.git", place.world.root().display()),
        format!("http://127.0.0.1:{port}/acme/deploy.git"),
    ] {
        let error = error_of(&place, &remote);
        assert!(
            matches!(error, Error::RemoteMissing { .. }),
            "{remote}: {error}"
        );
        assert!(error.hint().unwrap().contains("--create-remote"));
    }
    // Nothing was made there.
    assert!(!place.world.path("nowhere.git").exists());
}

#[test]
fn a_remote_that_refuses_is_named() {
    let place = Place::new();
    for line in ["401 Unauthorized", "403 Forbidden"] {
        let port = status(line);
        let error = error_of(&place, &format!("http://127.0.0.1:{port}/deploy.git"));
        assert!(
            matches!(error, Error::RemoteRefused { .. }),
            "{line}: {error}"
        );
    }
}

#[test]
fn a_remote_out_of_reach_is_named() {
    let place = Place::new();
    let port = status("503 Service Unavailable");
    // A port on which nobody listens any more.
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for port in [port, free] {
        let error = error_of(&place, &format!("http://127.0.0.1:{port}/deploy.git"));
        assert!(matches!(error, Error::RemoteUnreachable { .. }), "{error}");
    }
}

#[test]
fn a_remote_that_has_moved_is_not_followed_and_the_new_place_named() {
    let place = Place::new();
    let port = server(|path| {
        let (line, more) = match path.strip_prefix("/old.git") {
            Some(rest) => (
                "301 Moved Permanently",
                format!("Location: /new.git{rest}\r\n"),
            ),
            // An empty repository, as the plain protocol lists its branches.
            None => ("200 OK", "Content-Type: text/plain\r\n".to_owned()),
        };
        format!("HTTP/1.1 {line}\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n")
    });
    let error = error_of(&place, &format!("http://127.0.0.1:{port}/old.git"));
    assert_eq!(
        error.to_string(),
        format!("http://127.0.0.1:{port}/old.git has moved to http://127.0.0.1:{port}/new.git")
    );
}

#[test]
fn a_push_that_a_hook_rejects_says_why_and_changes_nothing() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    deploy(&mut branch, "uni", 1, "one").unwrap();
    let before = place.in_remote(["rev-parse", "deploy/prod"]);
    place.script(
        "deploy.git/hooks/pre-receive",
        "echo 'no deploys on Fridays' >&2; exit 1",
    );
    let error = deploy(&mut branch, "uni", 2, "two").unwrap_err();
    insta::assert_snapshot!(error.to_string().replace(remote.to_string().as_str(), "REMOTE"), @"
    REMOTE rejected deploy/prod: [remote rejected] (pre-receive hook declined)
      no deploys on Fridays
    ");
    assert_eq!(place.in_remote(["rev-parse", "deploy/prod"]), before);

    std::fs::remove_file(place.world.path("deploy.git/hooks/pre-receive")).unwrap();
    assert!(deploy(&mut branch, "uni", 2, "two").unwrap().pushed);
}

#[test]
fn what_the_remote_says_is_passed_on() {
    let place = Place::new();
    let remote = place.remote();
    place.script("deploy.git/hooks/post-receive", "echo 'thank you'");
    let mut branch = place.open(&remote, "a").unwrap();
    let outcome = deploy(&mut branch, "uni", 1, "one").unwrap();
    assert_eq!(outcome.messages, ["thank you"]);
}

#[test]
fn a_branch_that_was_forced_elsewhere_is_noticed() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    deploy(&mut branch, "uni", 1, "one").unwrap();
    deploy(&mut branch, "uni", 2, "two").unwrap();
    assert_eq!(place.open(&remote, "a").unwrap().rewritten(), None);
    place.in_remote(["update-ref", "refs/heads/deploy/prod", "deploy/prod~1"]);
    let again = place.open(&remote, "a").unwrap();
    assert_eq!(again.rewritten(), branch.tip());
    assert_eq!(again.view().unwrap().releases("uni").unwrap(), [1]);
    // Known now.
    assert_eq!(place.open(&remote, "a").unwrap().rewritten(), None);
}

#[test]
fn a_branch_that_goes_while_we_deploy_is_not_made_anew() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    deploy(&mut branch, "uni", 1, "one").unwrap();
    deploy(&mut branch, "two", 1, "one").unwrap();
    place.in_remote(["update-ref", "-d", "refs/heads/deploy/prod"]);
    let error = deploy(&mut branch, "uni", 2, "two").unwrap_err();
    assert!(matches!(error, Error::BranchGone { .. }), "{error}");
    assert_eq!(place.in_remote(["for-each-ref", "refs/heads"]), "");
}

#[test]
fn a_remote_whose_history_is_not_clean_is_refused() {
    let place = Place::new();
    let remote = place.remote();
    // A tree whose only entry, a file that is there, leads out of its directory.
    place.world.write("file", "x");
    let file = place.world.path("file");
    let blob = place.in_remote(["hash-object", "-w", file.to_str().unwrap()]);
    let id = (0..20).map(|i| u8::from_str_radix(&blob[2 * i..2 * i + 2], 16).unwrap());
    let bytes: Vec<u8> = b"100644 ..\0".iter().copied().chain(id).collect();
    place.world.write("file", bytes);
    let tree = place.in_remote([
        "hash-object",
        "--literally",
        "-w",
        "-t",
        "tree",
        file.to_str().unwrap(),
    ]);
    let commit = place.in_remote(["commit-tree", &tree, "-m", "bad"]);
    place.in_remote(["update-ref", "refs/heads/deploy/prod", &commit]);
    let error = place.open(&remote, "a").err().unwrap();
    assert!(matches!(error, Error::Git { .. }), "{error:?}");
}
